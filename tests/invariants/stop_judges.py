"""S9: a stop moves toward profit only, and so does whatever takes its place.

Judged by the exchange's states. A replacement bears another name and another number, so a stop is
known by what it protects: its group, and the leg of it. The journal says how many legs a group
has, and which stops a closing took away before it put one back.

An emergency stop of the guardian is not compared with anything: it has a group of its own, and its
price is what the settings say of a position that nothing covers.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.orders.closing import KIND as CLOSING
from tests.invariants.evidence import is_exit, role, role_of
from tests.invariants.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.sim.orders import SimOrder
    from tests.invariants.reading import Reading
    from tests.invariants.watched import State
    from tests.invariants.world import World


class Place(NamedTuple):
    """What a stop protects: of its group, the leg."""

    group_id: str
    leg: int


def s9_never_widens(world: World) -> list[str]:
    """Judge that stops only ever move toward profit, and what is put in their place is no wider.

    What a person has moved is his: from there on it counts again.
    """
    reading = read(world)
    legs, closings = _legs(reading), _closings(reading)
    found: dict[str, None] = {}
    best: dict[Place, Decimal] = {}
    last: dict[str, SimOrder] = {}  # how each stop stood last, by its name
    for at, order in _stops(world.exchange.states):
        name, price = order.terms.order_ref, order.stop_price
        ref = role_of(name)
        if ref is None or price is None:
            continue
        place = Place(ref.group_id, (ref.copy - 1) % legs.get(ref.group_id, 1) + 1)
        taken = (last[one] for one in closings.get(ref.group_id, ()) if one in last)
        before = best.get(place, _widest(order, taken))
        is_wider = before is not None and (price - before) * order.side.sign > 0
        if is_wider and name not in world.widened:
            found[f"S9 {at} {name}: {before} -> {price}"] = None
        best[place], last[name] = price, order
    return list(found)


def _stops(states: list[State]) -> Iterator[tuple[str, SimOrder]]:
    """Yield our stops as they stood, each time that anything changed, with the time of it."""
    for state in states:
        for order in state.working:
            if is_exit(order) and role(order) is OrderRole.STOP and order.stop_price is not None:
                yield f"{state.at:%T.%f}", order


def _legs(reading: Reading) -> dict[str, int]:
    """Return how many legs each group has: the stops that it began with.

    Of n legs, what protects the k-th are the copies k, k + n, k + 2n … of a stop.
    """
    found: dict[str, int] = {}
    for _, message in reading.records:
        if isinstance(message, SubmitOrders) and message.group_id not in found:
            found[message.group_id] = max(1, sum(map(_is_stop, message.orders)))
    return found


def _is_stop(spec: OrderSpec) -> bool:
    return spec.role is OrderRole.STOP


def _closings(reading: Reading) -> dict[str, list[str]]:
    """Return, by the group of each closing, what closings have asked away since it was begun.

    A person may close twice, or another process take the closing up: whose cancel it was is not
    on record, so all of them count until the stop is put back.
    """
    found: dict[str, list[str]] = {}
    for _, message in reading.records:
        if isinstance(message, ev.CloseRequestEvent):
            found.setdefault(message.group_id, [])
        elif isinstance(message, CancelOrder) and message.origin == CLOSING:
            for taken in found.values():
                taken.append(message.order_id)
    return found


def _widest(again: SimOrder, taken: Iterable[SimOrder]) -> Decimal | None:
    """Return the price furthest from profit of stops that were taken away for a close.

    Of several the largest is put back, and not all.
    """
    alike = (
        o.stop_price
        for o in taken
        if (o.terms.con_id, o.side) == (again.terms.con_id, again.side)
        if o.stop_price is not None
    )
    return min(alike, key=lambda price: -price * again.side.sign, default=None)
