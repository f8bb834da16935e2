"""The text that is being read, and the columns of what Python's parser found in it."""

from __future__ import annotations

import ast

from ibkr_trader.rules.expression_wording import ExpressionError, quoted


class Source:
    """A text as the parser had it: without the blanks before it, which it would not forgive."""

    def __init__(self, text: str, *, indent: int) -> None:
        self._text = text
        self._indent = indent

    def parsed(self) -> ast.expr:
        """Return Python's syntax tree; nothing of it is run.

        Raises:
            SyntaxError: If Python reads no expression there.
        """
        return ast.parse(self._text, mode="eval").body

    def of(self, node: ast.expr) -> str:
        """Return the text of a node."""
        return self._text[node.col_offset : node.end_col_offset]

    def shown(self, node: ast.expr) -> str:
        """Return the text of a node as a message shows it."""
        return quoted(self.of(node))

    def refused(self, node: ast.expr, message: str, hint: str = "") -> ExpressionError:
        """Return the error that names the column of a node."""
        return ExpressionError(message, self._indent + node.col_offset + 1, hint)
