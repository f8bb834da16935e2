"""What ends an entry that goes wrong: the stops that come with it, and what is lost at them.

A stop comes with an entry in one of two ways. It hangs from it, in the same command; or the
entry joins a group whose stop works already and follows each fill (a scale-in, see
`orders/linked_orders.py`): then the command has the entry alone, under that group's id.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.orders.coverage import works
from ibkr_trader.risk.pricing import entry_price

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.core.models import Order, OrderId, OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView

_HUNDRED = Decimal(100)


class Trade(NamedTuple):
    """An entry with the stops that would end it, as a command would leave them.

    Attributes:
        change: The order that is new or changed: the entry, or one of its stops.
        base: What a share of it is taken to cost.
        quantity: How many the stops would have to end.
        stops: Each ends its part; what is left over ends at the furthest of them.
    """

    change: Change
    base: Decimal
    quantity: Decimal
    stops: tuple[OrderSpec, ...]

    @property
    def furthest(self) -> Decimal:
        """The most that one share may lose, without its multiplier."""
        return max((distance(stop, self.base) for stop in self.stops), default=ZERO)

    @property
    def loss(self) -> Decimal:
        """What is lost if every stop is hit, in the contract's currency; gains count as none."""
        rest, total = self.quantity, ZERO
        parts = sorted((distance(stop, self.base), stop.quantity) for stop in self.stops)
        for far, size in reversed(parts):
            part = min(rest, size)
            total, rest = total + part * far, rest - part
        return (total + rest * self.furthest) * self.change.spec.contract.multiplier


def most_lost(view: RiskView) -> Decimal:
    """Return what one trade may lose, in the account's currency.

    Raises:
        FactMissing: If nobody knows what the account is worth.
    """
    limits = view.limits
    share = limits.max_risk_share * view.account_value("net_liquidation")
    return max(ZERO, min(limits.max_risk_per_trade, share))


def distance(stop: OrderSpec, base: Decimal) -> Decimal:
    """Return what a share bought (or sold short) at `base` loses at `stop`; never below zero.

    A trail that names where it begins is never further away than that.
    """
    if stop.stop_price is not None:
        return max(ZERO, (stop.stop_price - base) * stop.side.sign)
    if stop.trail_amount is not None:
        return stop.trail_amount
    return base * (stop.trail_percent or ZERO) / _HUNDRED


def is_entry(change: Change) -> bool:
    """Whether the change could lead further from flat, and is not itself meant to end anything."""
    return change.opens and not change.spec.role.is_protective


def own_stops(entry: Change, proposal: Proposal) -> tuple[OrderSpec, ...]:
    """Return the stops that hang from `entry` in the same command."""
    return tuple(
        change.spec for change in proposal.changes if _protects(change.spec, entry.spec.order_id)
    )


def following_stops(entry: OrderSpec, view: RiskView) -> tuple[OrderSpec, ...]:
    """Return the working stops of the position that a further entry of its group joins.

    Before the first entry has traded they would not grow with its fills. Whether anything else
    keeps them from it, the group alone knows: it is asked right before an entry that joins it
    is routed, and takes that back when it changes its mind (`orders/bracket_growing.py`).
    """
    if view.exposure.contract(entry.contract).held * entry.side.sign <= 0:
        return ()
    members = view.portfolio.groups.get(entry.group_id, ())
    return tuple(
        order.desired or order.spec
        for order in _live(members, view)
        if works(order)
        and order.status is not OrderStatus.PENDING_CANCEL
        and order.spec.role is OrderRole.STOP
        and order.spec.contract.con_id == entry.contract.con_id
        and order.spec.side is not entry.side
    )


def covered(stops: Iterable[OrderSpec]) -> Decimal:
    """Return how much of their entry stops would end: of alternatives only one."""
    parts: dict[str, Decimal] = {}
    for stop in stops:
        parts[stop.oca_group] = max(stop.quantity, parts.get(stop.oca_group, ZERO))
    return sum(parts.values(), ZERO)


def trades(proposal: Proposal, view: RiskView) -> Iterator[Trade]:
    """Yield each entry that the command makes or enlarges, and each that it protects less.

    Only those that have a stop: that an entry needs one is another check's to say.

    Raises:
        FactMissing: If there is no price for an entry.
    """
    for change in proposal.changes:
        found: Trade | None = None
        if is_entry(change):
            is_new = change.before is None
            own = own_stops(change, proposal) if is_new else _children(change.spec, view)
            found = _entered(change, own, view)
        elif change.widens:
            found = _widened(change, view)
        if found is not None:
            yield found


def _entered(change: Change, own: tuple[OrderSpec, ...], view: RiskView) -> Trade | None:
    entry = change.spec
    stops = own or following_stops(entry, view)
    # Without a stop there is nothing to reckon with, and a price may not be known.
    return Trade(change, entry_price(view, entry), entry.quantity, stops) if stops else None


def _children(entry: OrderSpec, view: RiskView) -> tuple[OrderSpec, ...]:
    """The stops that hang from an entry that works already."""
    return tuple(
        order.desired or order.spec
        for order in _live(view.portfolio.children.get(entry.order_id, ()), view)
        if _protects(order.spec, entry.order_id)
    )


def _widened(change: Change, view: RiskView) -> Trade | None:
    """The entry that a stop protects less than before, with all the stops that it has."""
    spec = change.spec
    base = _cost(spec, view)
    if base is None:
        return None
    beside = view.portfolio.children.get(spec.parent_id, ()) if spec.parent_id is not None else ()
    others = (
        order.desired or order.spec
        for order in _live(beside, view)
        if order.order_id != spec.order_id and _protects(order.spec, spec.parent_id)
    )
    stops = (spec, *others)
    return Trade(change, base, covered(stops), stops)


def _cost(stop: OrderSpec, view: RiskView) -> Decimal | None:
    """What a share that `stop` protects has cost, or will; None if it protects nothing."""
    entry = view.portfolio.order(stop.parent_id) if stop.parent_id is not None else None
    if entry is not None:
        return entry.average_fill_price or entry_price(view, entry.desired or entry.spec)
    position = view.portfolio.positions.get(stop.contract.con_id)
    return position.average_cost if position is not None else None


def _protects(spec: OrderSpec, entry_id: OrderId | None) -> bool:
    return spec.parent_id == entry_id and spec.order_type in STOP_TYPES


def _live(ids: Iterable[OrderId], view: RiskView) -> Iterator[Order]:
    for order_id in ids:
        order = view.portfolio.orders.get(order_id)
        if order is not None:
            yield order
