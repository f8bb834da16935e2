"""Which orders make no sense without one that got lost: half a group must not trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.orders.members import traded

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.portfolio.state import PortfolioState


def needs(order: Order, entry: Order) -> bool:
    """Whether `order` makes no sense without `entry`: its exit, or its alternative."""
    if entry.spec.role is not OrderRole.ENTRY or order is entry:
        return False
    is_alternative = bool(entry.spec.oca_group) and order.spec.oca_group == entry.spec.oca_group
    return order.spec.parent_id == entry.order_id or is_alternative


def is_half(state: PortfolioState, order: Order) -> bool:
    """Whether what an order needs has come to nothing, as far as anybody knows.

    An exit or an alternative needs its entry; an entry needs a stop, whichever works by now.
    """
    ids = state.groups.get(order.spec.group_id, ())
    mates = [mate for order_id in ids if (mate := state.order(order_id)) is not None]
    if any(needs(order, mate) and _came_to_nothing(mate) for mate in mates):
        return True
    stops = [mate for mate in mates if mate.spec.role is OrderRole.STOP]
    is_stopped = any(stop.status.is_open for stop in stops)
    return not is_stopped and any(needs(stop, order) for stop in stops)


def _came_to_nothing(order: Order) -> bool:
    is_lost = order.status is OrderStatus.UNKNOWN and not order.perm_id
    return not traded(order) and (order.status.is_closed or is_lost)
