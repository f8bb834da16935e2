"""S10: with every opening frame, whatever subset of what works may fill keeps every limit.

Shares of one symbol, its value, and the value of everything, at the price that the exchange
asked at that moment. Of orders that exclude one another the largest counts, not their sum.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import Side
from tests.invariants.evidence import ZERO, worst
from tests.invariants.reading import is_unheard
from tests.invariants.watched import US, Frame, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.invariants.world import World

EQUITY = Decimal(1_000_000)  # what the account is worth at first
SLACK = Decimal("1.01")  # it moves a little, and prices between a review and its frame


def s10_limits(world: World) -> list[str]:
    """Judge that with every opening frame all that could fill would keep the limits."""
    found = []
    for frame in world.exchange.frames:
        if frame.key.client_id != US or frame.terms is None or is_unheard(world, frame):
            continue
        for what, after, before, limit in _measures(world, frame):
            if after > limit and after > before:
                found.append(f"S10 {frame.at:%T.%f} {frame.ref}: {what} {after} of {limit}")
    return found


def _measures(world: World, frame: Frame) -> Iterator[tuple[str, Decimal, Decimal, Decimal]]:
    """What, how much after the frame, how much before it, and the limit."""
    assert frame.terms is not None
    con_id = frame.terms.con_id  # the last frame of a bracket, an exit, sets the entry free
    limits = world.limits
    shares, value = limits.max_position_size, limits.max_symbol_share * EQUITY * SLACK
    for side in Side:
        after, before = (worst(state, con_id, side) for state in (frame.after, frame.before))
        ask = frame.after.asks.get(con_id, ZERO)
        yield f"{side} shares", after, before, shares
        yield f"{side} value", after * ask, before * ask, value
    gross = limits.max_gross_exposure * EQUITY * SLACK
    yield "gross", _gross(frame.after), _gross(frame.before), gross


def _gross(state: State) -> Decimal:
    return sum(
        (max(worst(state, one, side) for side in Side) * ask for one, ask in state.asks.items()),
        ZERO,
    )
