"""What can be read off the exchange's evidence: exits, entries, who could know what, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.ids import OrderRef, parse_order_id
from tests.invariants.world import INSTALL

if TYPE_CHECKING:
    from ibkr_trader.sim.orders import SimOrder
    from tests.invariants.watched import State
    from tests.invariants.world import World

ZERO = Decimal(0)
T_NAKED = timedelta(seconds=2)
T_COVER = timedelta(seconds=1)
T_RESIZE = timedelta(seconds=1)
T_REST = timedelta(seconds=4)  # however often it is disturbed
T_ASKED = timedelta(seconds=1)  # half for the broker to do it, the rest until the next look
T_EVENT = timedelta(milliseconds=50)
STOPS = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})


def role_of(ref: str) -> OrderRef | None:
    """Return the parts of one of our own order ids."""
    found = parse_order_id(ref)
    return found if found is not None and found.install == INSTALL else None


def is_exit(order: SimOrder) -> bool:
    """Whether it is ours and its only purpose is to end a position."""
    found = role_of(order.terms.order_ref)
    return found is not None and found.role.is_protective


def is_entry(order: SimOrder) -> bool:
    """Whether it is ours and begins or adds to a position."""
    found = role_of(order.terms.order_ref)
    return found is not None and found.role is OrderRole.ENTRY


def role(order: SimOrder) -> OrderRole | None:
    """Return what it is for, if it is ours."""
    found = role_of(order.terms.order_ref)
    return found.role if found is not None else None


def most(orders: Iterable[SimOrder]) -> Decimal:
    """Return what orders can trade together: of each group that excludes others, the most."""
    alone, groups = ZERO, dict[str, Decimal]()
    for order in orders:
        if order.oca_group:
            groups[order.oca_group] = max(groups.get(order.oca_group, ZERO), order.remaining)
        else:
            alone += order.remaining
    return alone + sum(groups.values(), ZERO)


def closing(state: State, con_id: int, side: Side, *, active_only: bool = False) -> Decimal:
    """Return what our exits on `side` can trade."""
    return most(
        o
        for o in state.working
        if o.terms.con_id == con_id and o.side is side and is_exit(o)
        if not (active_only and o.is_held and o.why_held == "child")
    )


def worst(state: State, con_id: int, side: Side) -> Decimal:
    """Return the largest position on `side` that orders of any kind could lead to."""
    opening = most(
        o for o in state.working if o.terms.con_id == con_id and o.side is side and not is_exit(o)
    )
    return max(ZERO, state.held.get(con_id, ZERO) * side.sign + opening)


def entering(state: State, con_id: int, side: Side) -> Decimal:
    """Return what our live entries on `side` can still add."""
    return sum(
        (
            o.remaining
            for o in state.working
            if o.terms.con_id == con_id and o.side is side and is_entry(o)
        ),
        ZERO,
    )


def surplus(state: State, con_id: int, *, active_only: bool = False) -> Decimal:
    """Return by how much our exits could trade more than there is to end."""
    held = state.held.get(con_id, ZERO)
    worst = ZERO
    for side in Side:
        room = max(ZERO, -held * side.sign)
        if not active_only:
            room += entering(state, con_id, side.opposite)
        worst = max(worst, closing(state, con_id, side, active_only=active_only) - room)
    return worst


def contracts(world: World) -> frozenset[int]:
    """Return every contract that anything happened in."""
    states = world.exchange.states
    held = {con_id for state in states for con_id in state.held}
    return frozenset(held | {o.terms.con_id for state in states for o in state.working})


def alive_since(world: World, at: datetime) -> timedelta | None:
    """Return how long the trader had been in sync at `at`; None if it was not running."""
    booted = max((b for b in world.booted_at if b <= at), default=None)
    killed = max((k for k in world.killed_at if k <= at), default=None)
    if booted is None or (killed is not None and killed >= booted):
        return None
    return at - booted


def spans(world: World) -> Iterator[tuple[State, datetime]]:
    """Yield each state of the exchange with the moment that ended it."""
    states = world.exchange.states
    ends = [state.at for state in states[1:]] + [world.clock.now()]
    yield from zip(states, ends, strict=True)
