"""What a number can be at all, and so which comparisons say nothing: `signal.confidence > 85`.

A word or an indicator that has a range states it where it is defined. A comparison that no
value of that range decides is no fault, since it is legal and may be meant; but whoever wrote it
had most likely another range in mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from ibkr_trader.core.text import quantity
from ibkr_trader.rules.expression_nodes import (
    Call,
    Comparison,
    Crossing,
    Literal,
    Lookup,
    Negative,
    Node,
    Previous,
    below,
)
from ibkr_trader.rules.indicator import family_of
from ibkr_trader.rules.words import WORDS

_FLIPPED = {"<": ">", "<=": ">="}


class Range(NamedTuple):
    """From `least` to `most`, both included; None is without an end."""

    least: Decimal | None = None
    most: Decimal | None = None


def remarks(node: Node) -> tuple[str, ...]:
    """Return what of a condition always holds, or never can, by the ranges of what it compares."""
    return tuple(dict.fromkeys(_found(node)))


def range_of(node: Node) -> Range:
    """Return what a number can be, as far as its words and indicators say."""
    match node:
        case Literal(value=Decimal() as value):
            return Range(value, value)
        case Lookup(name=name):
            return Range(*WORDS[name].bounds)
        case Call(function=name):
            return Range(*family_of(name)[0].bounds)
        case Previous(operand=operand):
            return range_of(operand)
        case Negative(operand=operand):
            least, most = range_of(operand)
            return Range(None if most is None else -most, None if least is None else -least)
        case _:
            return Range()


def _found(node: Node) -> Iterator[str]:
    match node:
        case Comparison(first=left, steps=steps):
            for sign, right in steps:
                yield from _said(left, sign, right, text=f"{left} {sign} {right}")
                left = right
        case Crossing(function=name, left=left, right=right):
            sign = ">" if name == "crosses_above" else "<"
            if _holds(range_of(left), sign, range_of(right)) is False:
                yield f"{node} can never hold{_because(left, right)}"
        case _:
            pass
    for one in below(node):
        yield from _found(one)


def _said(left: Node, sign: str, right: Node, *, text: str) -> Iterator[str]:
    held = _holds(range_of(left), sign, range_of(right))
    if held is not None:
        what = "always holds" if held else "can never hold"
        yield f"{text} {what}{_because(left, right)}"


def _holds(one: Range, sign: str, other: Range) -> bool | None:
    """Whether a comparison holds whatever the numbers are; None if that depends on them."""
    if sign in {"==", "!="}:
        is_apart = _is_below(one, other) or _is_below(other, one)
        return (sign == "!=") if is_apart else None
    if sign in _FLIPPED:
        one, other, sign = other, one, _FLIPPED[sign]
    if sign == ">":
        if _is_below(other, one):
            return True
        return False if _is_at_most(one, other) else None
    if _is_at_most(other, one):
        return True
    return False if _is_below(one, other) else None


def _is_below(one: Range, other: Range) -> bool:
    """Whether all of `one` is less than all of the other."""
    return one.most is not None and other.least is not None and one.most < other.least


def _is_at_most(one: Range, other: Range) -> bool:
    return one.most is not None and other.least is not None and one.most <= other.least


def _because(*nodes: Node) -> str:
    """The ranges that make it so; a number that is written out explains itself."""
    found = [(node, range_of(node)) for node in nodes]
    told = [f"{node} is {_words(one)}" for node, one in found if _is_range(one)]
    return f": {' and '.join(told)}" if told else ""


def _is_range(one: Range) -> bool:
    return one != Range() and one.least != one.most


def _words(found: Range) -> str:
    least, most = quantity(found.least), quantity(found.most)
    if found.least is None:
        return f"at most {most}"
    return f"at least {least}" if found.most is None else f"{least} to {most}"
