"""What a judge reads off the exchange's ledger and the wire log: exits, stops, and what went twice.

Nothing here asks the desk what it believes, but `disagreement`, which holds it against the ledger.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.ids import parse_order_id
from ibkr_trader.sim.gateway.order_requests import PlaceOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ibkr_trader.portfolio.state import PortfolioState
    from ibkr_trader.sim.gateway.ledger_view import LedgerView
    from ibkr_trader.sim.gateway.wire import WireLog
    from ibkr_trader.sim.orders import SimOrder

ZERO = Decimal(0)
STOPS = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})
_OPENS = frozenset({OrderRole.ENTRY, OrderRole.SINGLE})


class Wish(NamedTuple):
    """An opening order by what it wishes for: two of a kind, asked for once, are one too many."""

    symbol: str
    side: str
    quantity: Decimal
    limit: Decimal | None
    stop: Decimal | None


def is_exit(order: SimOrder, held: Decimal, parents: Mapping[int, SimOrder]) -> bool:
    """Whether an order would end what is held, or what its own parent opens."""
    parent = parents.get(order.terms.parent_id)
    if parent is not None and parent.side is not order.side:
        return True
    return order.side.sign * held < 0


def most_exits(orders: Iterable[SimOrder]) -> Decimal:
    """Return what exits can trade at worst: of a group one trades, of others all."""
    groups: dict[str, Decimal] = {}
    for order in orders:
        name = order.oca_group or f"alone {order.perm_id}"
        groups[name] = max(groups.get(name, ZERO), order.remaining)
    return sum(groups.values(), ZERO)


def exits_and_room(ledger: LedgerView, con_id: int) -> tuple[Decimal, Decimal]:
    """Return what exits could trade at worst, and what there is to end at most.

    Each is in shares; what live parents of exits may still open counts as there.
    """
    held, live = ledger.held(con_id), ledger.live(con_id)
    by_id = {order.order_id: order for order in live}
    exits = [order for order in live if is_exit(order, held, by_id)]
    parents = {order.terms.parent_id for order in exits} & set(by_id)
    room = abs(held) + sum((by_id[number].remaining for number in parents), ZERO)
    return most_exits(exits), room


def stopped(ledger: LedgerView, con_id: int) -> Decimal:
    """Return how many of the shares held have a stop that works now."""
    held = ledger.held(con_id)
    stops = [
        order
        for order in ledger.live(con_id)
        if order.terms.order_type in STOPS and order.side.sign * held < 0 and not order.is_held
    ]
    return sum((order.remaining for order in stops), ZERO)


def disagreement(ledger: LedgerView, portfolio: PortfolioState) -> str:
    """Complain if a desk's books are not the exchange's."""
    ours = {p.contract.con_id: p.quantity for p in portfolio.positions.values() if p.quantity}
    theirs = ledger.positions()
    if ours != theirs:
        return f"the desk believes in {ours}, the exchange has {theirs}"
    live = {o.terms.order_ref: o.remaining for o in ledger.live() if o.terms.order_ref}
    known = {str(o.order_id): o.remaining for o in portfolio.orders.values() if not o.is_foreign}
    wrong = {
        ref: (known.get(ref, "closed"), live.get(ref, "closed"))
        for ref in known.keys() | live.keys()
        if known.get(ref) != live.get(ref)
    }
    return f"(desk, exchange): {wrong}" if wrong else ""


def sent_twice(wire: WireLog) -> dict[str, list[tuple[int, int]]]:
    """Return the orders that went out under more than one number, by name, with the numbers."""
    numbers: dict[str, set[tuple[int, int]]] = {}
    for entry in wire.sent("placeOrder", "modifyOrder"):
        if entry.key is not None and entry.order_ref:
            numbers.setdefault(entry.order_ref, set()).add(entry.key)
    return {ref: sorted(keys) for ref, keys in numbers.items() if len(keys) > 1}


def openings(wire: WireLog) -> Counter[Wish]:
    """Return how many orders went out for each wish to open something, each order once."""
    wishes: dict[tuple[str, object], Wish] = {}
    for entry in wire.sent("placeOrder"):
        ref = parse_order_id(entry.order_ref)
        if ref is None or ref.role not in _OPENS or not isinstance(entry.message, PlaceOrder):
            continue
        order = entry.message.order
        wishes[entry.order_ref, entry.key] = Wish(
            order.contract.symbol,
            order.action,
            order.quantity,
            order.limit_price or None,
            order.aux_price or None,
        )
    return Counter(wishes.values())


def strangers_touched(wire: WireLog, install: str, client_id: int) -> str:
    """Complain about a cancel or a change of an order that is not ours, or of all at once."""
    if wire.sent("globalCancel"):
        return "everything was cancelled, whoever's it was"
    for entry in wire.sent("cancelOrder", "modifyOrder"):
        is_ours = not entry.order_ref or entry.order_ref.startswith(install)
        if entry.client_id == client_id and not is_ours:
            return f"{entry.name} of {entry.order_ref}, which is not ours"
    return ""
