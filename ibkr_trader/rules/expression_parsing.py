"""How a text becomes an expression: read by Python's parser, and taken only if we know all of it.

The parser makes a syntax tree and runs nothing. Every node of it is translated into one of
ours, with its kind, or refused: what is not named here does not exist in the language.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from ibkr_trader.rules.expression_comparing import (
    Side,
    as_time,
    require_comparable,
    require_possible,
)
from ibkr_trader.rules.expression_kinds import HISTORY, LITERALS, PURE, Kind, Vocabulary
from ibkr_trader.rules.expression_nodes import (
    Applied,
    Arithmetic,
    Call,
    Comparison,
    Crossing,
    Joined,
    Literal,
    Lookup,
    Membership,
    Negative,
    Node,
    Not,
    Previous,
    kind_of,
)
from ibkr_trader.rules.expression_source import Source
from ibkr_trader.rules.expression_tokens import MAX_LENGTH, Token, tokens
from ibkr_trader.rules.expression_wording import ExpressionError, nearest, quoted, suggestion

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_COMPARE = "compare it with something"


def parsed(text: str, vocabulary: Vocabulary, *, wants: Kind) -> Node:
    """Return the tree of an expression that gives a value of the kind that is wanted.

    Raises:
        ExpressionError: If the text is anything else.
    """
    found = tokens(text)
    indent = found[0].column - 1
    source = Source(text[indent:], indent=indent)
    try:
        tree = source.parsed()
    except SyntaxError as error:
        raise _misplaced(found, indent + (error.offset or 1)) from None
    node = _Reader(source, vocabulary).read(tree)
    if wants is Kind.TIME:
        node = as_time(Side(node, tree), source).node
    if kind_of(node) is not wants:
        message = f"this gives a {kind_of(node)}; a {wants} is wanted"
        raise source.refused(tree, message, _COMPARE if wants is Kind.TRUTH else "")
    if (length := len(str(node))) > MAX_LENGTH:  # what is written must be readable again
        message = f"{length:,} characters with its blanks; {MAX_LENGTH:,} is the most"
        raise source.refused(tree, message, "make two rules of it")
    return node


def _misplaced(found: Sequence[Token], column: int) -> ExpressionError:
    """Return what to say of the one word that only Python's parser can find in a wrong place."""
    token = next((one for one in found if one.column >= column), found[-1])
    message = f"{quoted(token.text)} cannot stand here"
    return ExpressionError(message, token.column, "not stands before a condition, or before in")


class _Reader:
    """Translates the nodes of one text."""

    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self._source = source
        self._vocabulary = vocabulary

    def read(self, node: ast.expr) -> Node:
        """Return our node for one of Python's."""
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.Call():
                return self._call(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negative(self._number(operand, "-"))
            case ast.BinOp(left=left, op=op, right=right):
                sign = _ARITHMETIC[type(op)]
                return Arithmetic(self._number(left, sign), sign, self._number(right, sign))
            case _:
                return self._condition(node)

    def _condition(self, node: ast.expr) -> Node:
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn() as op], left=left, comparators=[right]):
                return self._membership(left, right, is_negated=isinstance(op, ast.NotIn))
            case ast.Compare():
                return self._comparison(node)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self._truth(operand, "not"))
            case ast.BoolOp(op=op, values=values):
                return self._joined("and" if isinstance(op, ast.And) else "or", values)
            case _:  # all that the words of the language can still make
                hint = "a list of texts follows in"
                raise self._source.refused(node, "a list cannot stand here", hint)

    def _literal(self, node: ast.Constant) -> Literal:
        match node.value:
            case bool():
                return Literal(Kind.TRUTH, node.value)
            case str():
                return Literal(Kind.TEXT, node.value)
            case _:
                return Literal(Kind.NUMBER, Decimal(self._source.of(node)))  # never by way of float

    def _name(self, node: ast.expr) -> Node:
        name, names = self._source.of(node), self._vocabulary.names
        if name in LITERALS:
            return Literal(Kind.TRUTH, LITERALS[name])
        if name in names:
            return Lookup(name, names[name].kind)
        if name in self._functions():
            raise self._source.refused(node, f"{name} is a function", f"write {name}(…)")
        hint = suggestion(name, names)
        if "." not in name and not nearest(name, names):
            hint = f"a text stands in quotes; {hint}"
        raise self._source.refused(node, f"there is no name {quoted(name)}", hint)

    def _call(self, node: ast.Call) -> Node:
        name = self._source.of(node.func)
        if name in HISTORY:
            return self._history(node, name)
        if name in PURE:
            self._require_count(node, name, PURE[name])
            return Applied(name, tuple(self._number(one, name) for one in node.args))
        if (function := self._vocabulary.functions.get(name)) is None:
            hint = suggestion(name, self._functions(), write="{}(…)")
            raise self._source.refused(node, f"there is no function {quoted(name)}", hint)
        most = len(function.parameters)
        self._require_count(node, name, (most - function.optional, most))
        values = tuple(self._written_out(one, name) for one in node.args)
        try:
            return Call(name, values, function.fill(values))
        except ValueError as error:
            raise self._source.refused(node, f"{Call(name, values, ())}: {error}") from None

    def _history(self, node: ast.Call, name: str) -> Node:
        if name == "previous":
            self._require_count(node, name, (1, 1))
            return Previous(self.read(node.args[0]))
        self._require_count(node, name, (2, 2))
        left, right = (self._number(one, name) for one in node.args)
        return Crossing(name, left, right)

    def _require_count(self, node: ast.Call, name: str, takes: tuple[int, int]) -> None:
        least, most = takes
        if least <= len(node.args) <= most:
            return
        wanted = f"{least}" if least == most else f"{least} to {most}"
        function = self._vocabulary.functions.get(name)
        parameters = f" ({', '.join(function.parameters)})" if function else ""
        plural = "" if wanted == "1" else "s"
        message = f"{name} takes {wanted} argument{plural}{parameters}, not {len(node.args)}"
        raise self._source.refused(node, message)

    def _written_out(self, node: ast.expr, name: str) -> Decimal:
        match self.read(node):
            case Literal(value=Decimal() as value):
                return value
            case Negative(operand=Literal(value=Decimal() as value)):
                return value.copy_negate()
            case _:
                message = f"{name} takes written numbers, not {self._source.shown(node)}"
                raise self._source.refused(node, message)

    def _comparison(self, node: ast.Compare) -> Node:
        for op, operand in zip(node.ops, node.comparators, strict=True):
            if type(op) not in _COMPARISONS:
                message = "in cannot stand in a chain of comparisons"
                raise self._source.refused(operand, message, "join two conditions by and")
        sides = [Side(self.read(one), one) for one in (node.left, *node.comparators)]
        if any(kind_of(side.node) is Kind.TIME for side in sides):
            sides = [as_time(side, self._source) for side in sides]
        steps = []
        for op, (left, right) in zip(node.ops, pairwise(sides), strict=True):
            sign = _COMPARISONS[type(op)]
            require_comparable(left, sign, right, source=self._source)
            self._require_possible(left.node, right)
            self._require_possible(right.node, left)
            steps.append((sign, right.node))
        return Comparison(sides[0].node, tuple(steps))

    def _membership(self, left: ast.expr, right: ast.expr, *, is_negated: bool) -> Node:
        operand = self._of(Kind.TEXT, left, "in")
        if not (isinstance(right, ast.Tuple) and right.elts):
            hint = "a list of one is written ('AAPL',)"
            raise self._source.refused(right, "a list of texts must follow in", hint)
        values = []
        for one in right.elts:
            if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
                message = f"{self._source.shown(one)} is no text"
                raise self._source.refused(one, message, "a text stands in quotes")
            self._require_possible(operand, Side(Literal(Kind.TEXT, one.value), one))
            values.append(one.value)
        return Membership(operand, tuple(values), is_negated)

    def _require_possible(self, node: Node, text: Side) -> None:
        require_possible(node, text, vocabulary=self._vocabulary, source=self._source)

    def _joined(self, word: str, values: Sequence[ast.expr]) -> Node:
        parts: list[Node] = []
        for one in values:
            part = self._truth(one, word)
            # (a and b) and c is a and b and c: which of them came first is nobody's question.
            parts += part.parts if isinstance(part, Joined) and part.word == word else (part,)
        return Joined(word, tuple(parts))

    def _number(self, node: ast.expr, user: str) -> Node:
        return self._of(Kind.NUMBER, node, user)

    def _truth(self, node: ast.expr, user: str) -> Node:
        return self._of(Kind.TRUTH, node, user)

    def _of(self, wanted: Kind, node: ast.expr, user: str) -> Node:
        found = self.read(node)
        if kind_of(found) is not wanted:
            message = f"{user} is for {wanted}s; {self._source.shown(node)} is a {kind_of(found)}"
            raise self._source.refused(node, message, _COMPARE if wanted is Kind.TRUTH else "")
        return found

    def _functions(self) -> set[str]:
        return {*HISTORY, *PURE, *self._vocabulary.functions}
