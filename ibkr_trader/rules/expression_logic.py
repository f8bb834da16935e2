"""Logic with an unknown: how the parts of an expression, each a function of a scope, are joined.

Kleene's logic: what is unknown could still turn out either way. So `false and unknown` is
false, `true or unknown` is true, and whatever else an unknown goes into is unknown. Looking at
the parts in order and stopping early can therefore not change what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ibkr_trader.rules.expression_kinds import UNKNOWN, Scope, Unknown, Value

# The types were checked when the expression was read: here they are nobody's question any more.
Run = Callable[[Scope], Any]
Holds = Callable[[Any, Any], bool]


def compared(left: Run, holds: Holds, right: Run) -> Run:
    """Return one comparison: unknown if one of its sides is."""

    def run(scope: Scope) -> bool | Unknown:
        one, other = left(scope), right(scope)
        return UNKNOWN if one is UNKNOWN or other is UNKNOWN else holds(one, other)

    return run


def chained(first: Run, steps: Sequence[tuple[Holds, Run]]) -> Run:
    """Return a chain of comparisons, as if they were joined by `and`."""

    def run(scope: Scope) -> bool | Unknown:
        result: bool | Unknown = True
        left = first(scope)
        for holds, operand in steps:
            right = operand(scope)
            if left is UNKNOWN or right is UNKNOWN:
                result = UNKNOWN
            elif not holds(left, right):
                return False
            left = right
        return result

    return run


def member(operand: Run, values: frozenset[str], *, is_negated: bool) -> Run:
    """Return whether a text is one of `values`, or (negated) none of them."""

    def run(scope: Scope) -> bool | Unknown:
        value = operand(scope)
        return UNKNOWN if value is UNKNOWN else (value in values) is not is_negated

    return run


def opposite(operand: Run) -> Run:
    """Return `not`."""

    def run(scope: Scope) -> bool | Unknown:
        value = operand(scope)
        return UNKNOWN if value is UNKNOWN else value is False

    return run


def joined(parts: Sequence[Run], *, ends: bool) -> Run:
    """Return `and` (which one false part ends) or `or` (which one true part ends)."""

    def run(scope: Scope) -> bool | Unknown:
        result: bool | Unknown = not ends
        for part in parts:
            value = part(scope)
            if value is ends:
                result = ends
                break
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    return run


def earlier(operand: Run) -> Run:
    """Return what something was one bar ago: unknown if nobody kept that."""

    def run(scope: Scope) -> Value | Unknown:
        before = scope.before()
        value: Value | Unknown = UNKNOWN if before is None else operand(before)
        return value

    return run


def crossing(left: Run, right: Run, *, held: Holds, holds: Holds) -> Run:
    """Return whether `held` was so one bar ago and `holds` is now: unknown unless all four are."""

    def run(scope: Scope) -> bool | Unknown:
        before = scope.before()
        if before is None:
            return UNKNOWN
        values = (left(before), right(before), left(scope), right(scope))
        if UNKNOWN in values:
            return UNKNOWN
        if not held(values[0], values[1]):
            return False
        return holds(values[2], values[3])

    return run
