"""Which exits of ours to take away or cut, when together they could trade more than is held.

A position that somebody else has closed or reduced leaves exits behind, and one that fires
would open the opposite one. What no position stands behind any more goes, the newest first,
but stops last of all: those that are kept end all that is held, as far as they did before.

Orders of others are never touched, and never counted either: whoever placed them may take
them back at any moment, and then what we had cut would be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.models import ZERO, Order, OrderId
from ibkr_trader.orders.coverage import Cluster, at_work, backing, clusters, protects, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal


class Cut(NamedTuple):
    """An order that may trade too much, and what it may still trade; none is to cancel it."""

    order: Order
    left: Decimal


def cuts(
    held: Decimal, orders: Iterable[Order], known_exits: frozenset[OrderId] = frozenset()
) -> tuple[Cut, ...]:
    """Return what to cut so that the exits of ours fit what is held.

    Args:
        held: What is held, signed.
        orders: The live orders in the contract.
        known_exits: Orders without the role of an exit that could only end something when
            they went out.
    """
    sides = _sides(held, orders, known_exits)
    return tuple(cut for groups, room in sides for cut in _cut(groups, room))


def making_room(
    held: Decimal,
    orders: Iterable[Order],
    known_exits: frozenset[OrderId] = frozenset(),
    *,
    size: Decimal,
) -> tuple[Cut, ...]:
    """Return what of our exits a new stop for `size` could trade beside, and must not.

    Stops that work stay: a stop that is missing is worth more than a target.
    """
    live = [order for order in orders if not order.status.is_closed]
    there = (order for order in live if order.spec.side.sign * held < 0)
    ours = [order for order in there if _is_exit(order, known_exits)]
    return tuple(_cut(clusters(ours, live), max(ZERO, abs(held) - size)))


def excess(
    held: Decimal, orders: Iterable[Order], known_exits: frozenset[OrderId] = frozenset()
) -> Decimal:
    """Return how much the exits of ours could trade beyond what is held, at their worst."""
    return max(
        max(ZERO, sum((backing(group, group.worst) for group in groups), ZERO) - room)
        for groups, room in _sides(held, orders, known_exits)
    )


def _sides(
    held: Decimal, orders: Iterable[Order], known_exits: frozenset[OrderId]
) -> list[tuple[tuple[Cluster, ...], Decimal]]:
    """The exits that share a room: by side, and closing orders by themselves.

    A closing order is somebody's will, and its closing takes the exits out of its way.
    """
    live = [order for order in orders if not order.status.is_closed]
    found = []
    for sign in (1, -1):
        room = max(ZERO, -held * sign)
        ours = [o for o in live if o.spec.side.sign == sign and _is_exit(o, known_exits)]
        closers = [order for order in ours if order.spec.role is OrderRole.CLOSE]
        others = [order for order in ours if order.spec.role is not OrderRole.CLOSE]
        found += [(clusters(closers, live), room), (clusters(others, live), room)]
    return found


def _is_exit(order: Order, known_exits: frozenset[OrderId]) -> bool:
    is_one = order.spec.role.is_protective or order.order_id in known_exits
    return is_one and not order.is_foreign


def _cut(groups: tuple[Cluster, ...], room: Decimal) -> list[Cut]:
    """Cut what no stop stands for first, then the stops themselves; each time the newest."""
    newest = sorted(groups, key=lambda group: group.age, reverse=True)
    left = [group.wanted for group in newest]
    surplus = sum((backing(g, size) for g, size in zip(newest, left, strict=True)), ZERO) - room
    for is_last_resort in (False, True):
        for place, group in enumerate(newest):
            floor = ZERO if is_last_resort else _protected(group)
            most = min(backing(group, left[place]), max(ZERO, left[place] - floor))
            gone = max(ZERO, min(surplus, most))
            left[place] -= gone
            surplus -= gone
    return [
        Cut(order, size)
        for group, size in zip(newest, left, strict=True)
        for order in group.members
        if wanted(order) > size
    ]


def _protected(group: Cluster) -> Decimal:
    """How much of a position the stop in the group ends, or one of them if there are more."""
    return max((at_work(order) for order in group.members if protects(order)), default=ZERO)
