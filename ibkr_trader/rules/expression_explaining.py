"""What an expression looks at, and what it saw: so that a decision can be told, and one not made.

Whoever asks why nothing was traded gets the conditions that did not hold, each with the values
that it was about. Those values are read anew from the scope, which is of one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from ibkr_trader.core.text import plain, quantity
from ibkr_trader.rules.expression_evaluating import compiled
from ibkr_trader.rules.expression_kinds import UNKNOWN, Scope, Unknown, Value
from ibkr_trader.rules.expression_nodes import (
    Call,
    Crossing,
    Joined,
    Lookup,
    Node,
    Previous,
    below,
)

_LONGEST = 60  # characters of a text
_SHOWN = Context(prec=12, Emin=MIN_EMIN, Emax=MAX_EMAX, capitals=1, traps=[])
_IN_FULL = range(-12, 16)  # the power of ten of a number that is written without an exponent


def looks(node: Node, bars: int = 0) -> Iterator[tuple[Lookup | Call, int]]:
    """Yield each name and call below a node, and how many bars ago it is looked at."""
    match node:
        case Lookup() | Call():
            yield node, bars
        case Previous():
            yield from looks(node.operand, bars + 1)
        case _:
            for one in below(node):
                yield from looks(one, bars)
                if isinstance(node, Crossing):
                    yield from looks(one, bars + 1)


def names(node: Node) -> Mapping[str, int]:
    """Return the names that a node needs, and how many bars back at most."""
    found: dict[str, int] = {}
    for leaf, bars in looks(node):
        if isinstance(leaf, Lookup):
            found[leaf.name] = max(bars, found.get(leaf.name, 0))
    return found


def calls(node: Node) -> Mapping[Call, int]:
    """Return the calls that a node needs, and how many bars back at most."""
    found: dict[Call, int] = {}
    for leaf, bars in looks(node):
        if isinstance(leaf, Call):
            found[leaf] = max(bars, found.get(leaf, 0))
    return found


def facts(node: Node, scope: Scope) -> dict[str, str]:
    """Return what a node looks at, as it is written, with what is seen there."""
    found: dict[str, str] = {}
    for leaf, bars in looks(node):
        one: Node = leaf
        for _ in range(bars):
            one = Previous(one)
        found[str(one)] = told(compiled(one)(scope))
    return found


def shortfalls(node: Node, scope: Scope) -> tuple[str, ...]:
    """Return the conditions joined by `and` at the top that do not hold, with their values."""
    parts = node.parts if isinstance(node, Joined) and node.word == "and" else (node,)
    return tuple(
        _shortfall(part, told(value), scope)
        for part in parts
        if (value := compiled(part)(scope)) is False or value is UNKNOWN
    )


def _shortfall(part: Node, state: str, scope: Scope) -> str:
    text = str(part)
    seen = facts(part, scope)
    if set(seen) <= {text}:  # nothing to add: it is the name itself
        values = ""
    elif len(seen) == 1:
        values = next(iter(seen.values()))
    else:
        values = ", ".join(f"{what} {value}" for what, value in seen.items())
    return f"{text} is {state}" + (f" ({values})" if values and values != state else "")


def told(value: Value | Unknown) -> str:
    """Return a value as people read it: `0.91`, `BUY`, `true`, `09:45`, `unknown`."""
    match value:
        case Unknown():
            return value.value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return _number(value)
        case time():
            return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
        case _:
            return plain(str(value), limit=_LONGEST)


def _number(value: Decimal) -> str:
    """Return a number in full; one of more than 12 digits is rounded, and a `~` says so."""
    short = _SHOWN.plus(value)
    text = quantity(short) if short.adjusted() in _IN_FULL else _SHOWN.to_sci_string(short)
    return text if short == value else f"~{text}"
