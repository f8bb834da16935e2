"""How an expression is asked: its tree made into functions of ours, each of them of a scope.

Arithmetic has a context of its own, of 34 digits. What somebody sets for a program or a thread
changes nothing here; and what has no sensible result (a division by zero, an overflow) is
unknown, and never an exception.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Underflow,
)
from typing import Any, assert_never

from ibkr_trader.rules import expression_logic as logic
from ibkr_trader.rules.expression_kinds import CLASSES, UNKNOWN, Kind, Scope, Unknown, Value
from ibkr_trader.rules.expression_logic import Holds, Run
from ibkr_trader.rules.expression_nodes import (
    Applied,
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Crossing,
    Joined,
    Literal,
    Lookup,
    Membership,
    Negative,
    Node,
    Not,
    Previous,
)

DIGITS = 34  # as IEEE 754's decimal128 has them

_CONTEXT = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    clamp=0,
    flags=[],
    traps=[DivisionByZero, InvalidOperation, Overflow, Underflow],
)
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Decimal]] = {
    "+": _CONTEXT.add,
    "-": _CONTEXT.subtract,
    "*": _CONTEXT.multiply,
    "/": _CONTEXT.divide,
}
_PURE: Mapping[str, Callable[..., Decimal]] = {"min": min, "max": max, "abs": _CONTEXT.abs}
_COMPARISONS: Mapping[str, Holds] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# What held one bar ago, and what holds now.
_CROSSINGS: Mapping[str, tuple[Holds, Holds]] = {
    "crosses_above": (operator.le, operator.gt),
    "crosses_below": (operator.ge, operator.lt),
}


def compiled(node: Node) -> Run:
    """Return a function from a scope to the node's value, or to `UNKNOWN`."""
    match node:
        case Literal():
            return _always(node.value)
        case Lookup():
            return _looked_up(node.name, node.kind)
        case Call():
            return _called(node)
        case Applied():
            return _applied(_PURE[node.function], [compiled(one) for one in node.arguments])
        case Negative():
            return _applied(_CONTEXT.minus, [compiled(node.operand)])
        case Arithmetic():
            return _reckoned(compiled(node.left), _ARITHMETIC[node.sign], compiled(node.right))
        case Previous():
            return logic.earlier(compiled(node.operand))
        case _:
            return _condition(node)


def _condition(node: Condition) -> Run:
    match node:
        case Comparison():
            first = compiled(node.first)
            steps = [(_COMPARISONS[sign], compiled(operand)) for sign, operand in node.steps]
            return logic.chained(first, steps) if steps[1:] else logic.compared(first, *steps[0])
        case Membership():
            values = frozenset(node.values)
            return logic.member(compiled(node.operand), values, is_negated=node.is_negated)
        case Not():
            return logic.opposite(compiled(node.operand))
        case Joined():
            return logic.joined([compiled(part) for part in node.parts], ends=node.word == "or")
        case Crossing():
            held, holds = _CROSSINGS[node.function]
            left, right = compiled(node.left), compiled(node.right)
            return logic.crossing(left, right, held=held, holds=holds)
        case _:
            assert_never(node)


def _always(value: Value) -> Run:
    return lambda _: value


def _looked_up(name: str, kind: Kind) -> Run:
    sort = CLASSES[kind]

    def run(scope: Scope) -> Value | Unknown:
        return _checked(scope.get(name), sort, name)

    return run


def _called(node: Call) -> Run:
    function, arguments = node.function, node.filled

    def run(scope: Scope) -> Value | Unknown:
        return _checked(scope.call(function, arguments), Decimal, function)

    return run


def _checked(value: Value | Unknown, sort: type, what: str) -> Value | Unknown:
    """Return what a scope gave, if it keeps the promise of the vocabulary.

    Raises:
        TypeError: If it does not; a float would compare, and be wrong in its last digits.
    """
    if value is UNKNOWN:
        return UNKNOWN
    if not isinstance(value, sort):
        raise TypeError(f"{what} should be a {sort.__name__}, and the scope gives {value!r}")
    if isinstance(value, Decimal):
        return value if value.is_finite() else UNKNOWN
    if isinstance(value, time) and value.tzinfo is not None:
        raise TypeError(f"{what} should be without a zone, and the scope gives {value!r}")
    return value


def _applied(function: Callable[..., Decimal], operands: Sequence[Run]) -> Run:
    def run(scope: Scope) -> Decimal | Unknown:
        values = [operand(scope) for operand in operands]
        try:
            return UNKNOWN if UNKNOWN in values else function(*values)
        except ArithmeticError:
            return UNKNOWN

    return run


def _reckoned(left: Run, function: Callable[[Any, Any], Decimal], right: Run) -> Run:
    def run(scope: Scope) -> Decimal | Unknown:
        one, other = left(scope), right(scope)
        try:
            return UNKNOWN if one is UNKNOWN or other is UNKNOWN else function(one, other)
        except ArithmeticError:
            return UNKNOWN

    return run
