"""How much of a position working stops would end, and how much more exits could trade.

Only what the broker has confirmed protects: a stop that may not exist, is set aside, still
waits for its entry, or was left behind by the market ends nothing. What could trade too
much is counted the other way round, at its worst: unknown and unconfirmed orders included.

Of orders of which only one can trade (one-cancels-all, or the exits of one entry) the
largest counts; everything else adds up. Whose order it is makes no difference here.
"""

from __future__ import annotations

from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import OrderStatus, OrderType, TimeInForce
from ibkr_trader.core.ids import is_twin, short_id
from ibkr_trader.core.models import ZERO, Order, OrderId, OrderSpec
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.orders.members import traded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LOCATE = "locate"  # what TWS calls it when shares to sell short are looked for
_TONIGHT = frozenset({TimeInForce.DAY})


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """One position against the orders that would end it.

    Attributes:
        held: What is held, signed.
        covered: How much of it working stops would end, at most all of it.
        closing: What all exits together could still trade, at their worst.
        entering: What live entries of theirs may still add to what is held.
        surplus: How much the exits could trade beyond both: a position the other way.
    """

    held: Decimal
    covered: Decimal = ZERO
    closing: Decimal = ZERO
    entering: Decimal = ZERO
    surplus: Decimal = ZERO

    @property
    def naked(self) -> Decimal:
        """How much is held that no stop would end."""
        return abs(self.held) - self.covered

    @property
    def is_exact(self) -> bool:
        """Whether all is covered, and nothing could trade beyond it."""
        return not self.naked and not self.surplus


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Exits of which only one can trade, and what their live entries may still add.

    Attributes:
        owned: How much of it could trade now, because its entry has brought as much: a
            position must stand behind that, whatever the entry may still add.
    """

    members: tuple[Order, ...]
    entering: Decimal = ZERO
    owned: Decimal = ZERO

    @property
    def worst(self) -> Decimal:
        """What one of them could still trade, under its old or its wanted terms."""
        return max(member.remaining for member in self.members)

    @property
    def wanted(self) -> Decimal:
        """The same once what has been asked for is done: cancels, and smaller sizes."""
        return max(wanted(member) for member in self.members)

    @property
    def age(self) -> tuple[float, int]:
        """What puts clusters in order of time; the larger the newer."""
        return max(_age(member) for member in self.members)


def coverage(held: Decimal, orders: Iterable[Order], *, mark: Decimal | None = None) -> Coverage:
    """Return how a position stands against the live orders in its contract.

    Args:
        held: What is held, signed.
        orders: The live orders in the contract, whoever's; others are ignored.
        mark: The market, which tells a stop-limit order that was left behind.
    """
    live = [order for order in orders if not order.status.is_closed]
    exits = [order for order in live if order.spec.side.sign * held < 0]
    stops = [order for order in exits if protects(order, mark)]
    groups = clusters(exits, live)
    covered = sum((max(map(at_work, c.members)) for c in clusters(stops, live)), ZERO)
    return Coverage(
        held=held,
        covered=min(covered, abs(held)),
        closing=sum((group.worst for group in groups), ZERO),
        entering=sum((group.entering for group in groups), ZERO),
        surplus=max(ZERO, sum((backing(g, g.worst) for g in groups), ZERO) - abs(held)),
    )


def clusters(exits: Iterable[Order], live: Iterable[Order]) -> tuple[Cluster, ...]:
    """Return `exits` by which of them exclude each other; `live` has their entries."""
    entries = {order.order_id: order for order in live}
    found: dict[str, list[Order]] = {}
    exits = tuple(exits)
    brought = _brought(exits, entries)
    for order in exits:
        spec = order.spec
        kin = f"exits of {spec.parent_id}" if spec.parent_id else f"alone {spec.order_id}"
        found.setdefault(spec.oca_group or kin, []).append(order)
    clusters = []
    for members in found.values():
        owned = ZERO
        if (parent := _waker(members, brought)) is not None:
            owned = min(brought[parent], max(member.remaining for member in members))
            brought[parent] -= owned
        clusters.append(
            Cluster(members=tuple(members), entering=_entering(members, entries), owned=owned)
        )
    return tuple(clusters)


def backing(cluster: Cluster, size: Decimal) -> Decimal:
    """Return how much of `size` a position must stand behind: what no live entry will bring."""
    return max(ZERO, size - cluster.entering, min(size, cluster.owned))


def protects(order: Order, mark: Decimal | None = None) -> bool:
    """Whether the order is a stop that works: nothing that may not be there counts."""
    is_stop = order.spec.order_type in STOP_TYPES
    return is_stop and works(order) and not _is_left_behind(order.spec, mark)


def works(order: Order) -> bool:
    """Whether the broker has confirmed the order, and nothing but its price keeps it."""
    if not order.status.is_open or order.status is OrderStatus.INACTIVE:
        return False
    return not (order.is_asleep or _LOCATE in order.held_for.lower())


def at_work(order: Order) -> Decimal:
    """Return what the order will surely trade once triggered: the smaller of both terms."""
    confirmed = max(ZERO, order.spec.quantity - traded(order))
    return min(confirmed, wanted(order, is_leaving=False))


def wanted(order: Order, *, is_leaving: bool = True) -> Decimal:
    """Return what the order could still trade once what was asked of it is done.

    `is_leaving` counts an order that is being cancelled as gone.
    """
    if order.status.is_closed or (is_leaving and order.status is OrderStatus.PENDING_CANCEL):
        return ZERO
    terms = order.desired or order.spec
    return max(ZERO, terms.quantity - traded(order))


def remarks(order: Order, mark: Decimal | None = None) -> Iterator[str]:
    """Yield what keeps an exit from being all that it looks like, in a few words each."""
    match order.status:
        case OrderStatus.PENDING | OrderStatus.UNKNOWN:
            yield "not confirmed"
        case OrderStatus.INACTIVE:
            yield "set aside by the broker"
        case OrderStatus.PENDING_CANCEL:
            yield "being cancelled"
        case _ if order.status.is_open and not works(order):
            yield f"waits ({order.held_for})"
    if _is_left_behind(order.spec, mark):
        yield "left behind by the market"
    if order.spec.time_in_force in _TONIGHT and order.spec.order_type in STOP_TYPES:
        yield "ends with the day"
    if order.is_foreign:
        yield "not placed here"
    if is_twin(order.order_id):
        yield f"is {short_id(order.spec.reference)} a second time: one order, and it lives twice"


def _is_left_behind(spec: OrderSpec, mark: Decimal | None) -> bool:
    """Whether the market is beyond a stop-limit's limit: triggered, it would only wait there."""
    if spec.order_type is not OrderType.STOP_LIMIT or spec.limit_price is None or mark is None:
        return False
    return (mark - spec.limit_price) * spec.side.sign > 0


def _entering(members: Iterable[Order], entries: Mapping[OrderId, Order]) -> Decimal:
    """What the live entries that these exits hang from may still add, each counted once."""
    parents = {
        parent: member.spec.side
        for member in members
        if (parent := member.spec.parent_id) is not None and parent in entries
    }
    return sum(
        (
            entries[parent].remaining
            for parent, side in parents.items()
            if entries[parent].spec.side is not side
        ),
        ZERO,
    )


def _brought(exits: Iterable[Order], entries: Mapping[OrderId, Order]) -> dict[OrderId, Decimal]:
    """How much the live entries have brought that their exits have not ended yet."""
    found: dict[OrderId, Decimal] = {}
    for order in exits:
        parent = order.spec.parent_id
        if parent is not None and parent in entries:
            found[parent] = found.get(parent, traded(entries[parent])) - traded(order)
    return {parent: max(ZERO, size) for parent, size in found.items()}


def _waker(members: Iterable[Order], brought: Mapping[OrderId, Decimal]) -> OrderId | None:
    """The entry that has woken one of these exits: it trades without waiting for more."""
    parents = (m.spec.parent_id for m in members if works(m) and m.spec.parent_id in brought)
    return next((parent for parent in parents if parent is not None), None)


def _age(order: Order) -> tuple[float, int]:
    if is_twin(order.order_id):  # newer than whatever it doubles, whenever each was heard of
        return (inf, order.perm_id)
    born = order.created_at.timestamp() if order.created_at is not None else 0.0
    return (born, order.spec.broker_order_id)
