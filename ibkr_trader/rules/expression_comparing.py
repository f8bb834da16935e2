"""What can be compared with what: asked while an expression is read, so that nobody asks later."""

from __future__ import annotations

import ast
from typing import NamedTuple

from ibkr_trader.core.trading_day import clock_of
from ibkr_trader.rules.expression_kinds import Kind, Vocabulary
from ibkr_trader.rules.expression_nodes import Literal, Lookup, Node, Previous, kind_of
from ibkr_trader.rules.expression_source import Source
from ibkr_trader.rules.expression_wording import quoted, suggestion

_ORDERED = {Kind.NUMBER, Kind.TIME}
_EQUALITY = {"==", "!="}
_QUOTES = "a text stands in quotes, a number without"


class Side(NamedTuple):
    """One side of a comparison, and where it stands."""

    node: Node
    at: ast.expr


def as_time(side: Side, source: Source) -> Side:
    """Return a written text as the time that it is; anything else as it stands.

    Raises:
        ExpressionError: If the text is no time.
    """
    node = side.node
    if not (isinstance(node, Literal) and isinstance(node.value, str)):
        return side
    if (found := clock_of(node.value)) is None:
        message = f"{quoted(node.value)} is no time"
        raise source.refused(side.at, message, "a time is written '09:45'")
    return Side(Literal(Kind.TIME, found), side.at)


def require_comparable(left: Side, sign: str, right: Side, *, source: Source) -> None:
    """Refuse a comparison of different kinds, or of the order of things that have none.

    Raises:
        ExpressionError: At the right side.
    """
    one, other = kind_of(left.node), kind_of(right.node)
    if one is not other:
        hint = _QUOTES if {one, other} == {Kind.NUMBER, Kind.TEXT} else ""
        raise source.refused(right.at, f"a {one} cannot be compared with a {other}", hint)
    if one not in _ORDERED and sign not in _EQUALITY:
        message = f"a {one} has no order, so {sign} says nothing"
        raise source.refused(right.at, message, "use == or !=")


def require_possible(node: Node, text: Side, *, vocabulary: Vocabulary, source: Source) -> None:
    """Refuse a written text that a name can never be.

    Raises:
        ExpressionError: At the text.
    """
    written = text.node
    while isinstance(node, Previous):
        node = node.operand
    if not (isinstance(node, Lookup) and isinstance(written, Literal)):
        return
    values = vocabulary.names[node.name].values
    if values and written.value not in values:
        hint = suggestion(str(written.value), values, write="'{}'")
        raise source.refused(text.at, f"{node} is never {quoted(str(written.value))}", hint)
