"""The judges: each reads the exchange's ledger or the wire log, and complains in words."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.sim.gateway.order_requests import CancelOrder, PlaceOrder

if TYPE_CHECKING:
    from ibkr_trader.sim.orders import SimOrder
    from tests.bad_days.stage import Day

ZERO = Decimal(0)
_STOPS = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})


def is_exit(order: SimOrder, held: Decimal, parents: dict[int, SimOrder]) -> bool:
    """Whether an order would end what is held, or what its own parent opens."""
    parent = parents.get(order.terms.parent_id)
    if parent is not None and parent.side is not order.side:
        return True
    return order.side.sign * held < 0


def most_exits(orders: list[SimOrder]) -> Decimal:
    """Return what exits can trade at worst: of a group one trades, of others all."""
    groups: dict[str, Decimal] = {}
    for order in orders:
        name = order.oca_group or f"alone {order.perm_id}"
        groups[name] = max(groups.get(name, ZERO), order.remaining)
    return sum(groups.values(), ZERO)


def orphans(day: Day, con_id: int) -> str:
    """Complain about exits that could trade more than is held and is still being bought (S7)."""
    held = day.ledger.held(con_id)
    live = day.ledger.live(con_id)
    by_id = {order.order_id: order for order in live}
    exits = [order for order in live if is_exit(order, held, by_id)]
    parents = {order.terms.parent_id for order in exits} & set(by_id)
    room = abs(held) + sum((by_id[number].remaining for number in parents), ZERO)
    worst = most_exits(exits)
    return f"exits of {worst} against {held} held, {room} at most" if worst > room else ""


def nakedness(day: Day, con_id: int) -> str:
    """Complain unless a stop covers exactly what is held (S8)."""
    held = day.ledger.held(con_id)
    stops = [
        order
        for order in day.ledger.live(con_id)
        if order.terms.order_type in _STOPS and order.side.sign * held < 0 and not order.is_held
    ]
    covered = sum((order.remaining for order in stops), ZERO)
    return f"stops of {covered} for {held} held" if covered != abs(held) else ""


def disagreement(day: Day) -> str:
    """Complain if the desk's books are not the exchange's (S16)."""
    ours = {p.contract.con_id: p.quantity for p in day.trader.portfolio.positions.values()}
    ours = {con_id: quantity for con_id, quantity in ours.items() if quantity}
    theirs = day.ledger.positions()
    if ours != theirs:
        return f"the desk believes in {ours}, the exchange has {theirs}"
    live = {o.terms.order_ref: o.remaining for o in day.ledger.live() if o.terms.order_ref}
    orders = day.trader.portfolio.orders.values()
    known = {str(o.order_id): o.remaining for o in orders if not o.is_foreign}
    wrong = {
        ref: (known.get(ref, "closed"), live.get(ref, "closed"))
        for ref in known.keys() | live.keys()
        if known.get(ref) != live.get(ref)
    }
    return f"(desk, exchange): {wrong}" if wrong else ""


def repeats(day: Day) -> str:
    """Complain about an order that was sent twice under two numbers, or after its cancel (S1)."""
    numbers: dict[str, set[tuple[int, int]]] = {}
    for entry in day.wire.sent("placeOrder", "modifyOrder"):
        assert isinstance(entry.message, PlaceOrder)
        assert entry.key is not None
        numbers.setdefault(entry.order_ref, set()).add(entry.key)
    twice = {ref: sorted(keys) for ref, keys in numbers.items() if len(keys) > 1}
    return f"sent twice: {twice}" if twice else ""


def strangers_touched(day: Day) -> str:
    """Complain about a cancel or a change of an order that is not ours (S22), or of all (C12)."""
    if day.wire.sent("globalCancel"):
        return "everything was cancelled, whoever's it was"
    prefix = day.trader.journal.state.install
    for entry in day.wire.sent("cancelOrder", "modifyOrder"):
        assert isinstance(entry.message, CancelOrder | PlaceOrder)
        if entry.client_id == 1 and entry.order_ref and not entry.order_ref.startswith(prefix):
            return f"{entry.name} of {entry.order_ref}, which is not ours"
    return ""


def assert_over(day: Day) -> None:
    """Judge that nothing is held and nothing can trade any more."""
    assert day.ledger.positions() == {}
    assert day.ledger.live() == ()


def assert_sound(day: Day, con_id: int, *, is_protected: bool = True) -> None:
    """Judge a desk at rest: no orphan, nothing naked, books that agree, nothing sent twice."""
    complaints = [orphans(day, con_id), disagreement(day), repeats(day), strangers_touched(day)]
    if is_protected:
        complaints.append(nakedness(day, con_id))
    found = [complaint for complaint in complaints if complaint]
    assert not found, "; ".join(found)
