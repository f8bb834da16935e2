"""Which orders a command means: for `cancel` a group is every live order of it, `modify` wants one.

The rules of names are `portfolio/finding.py`'s; here are the answers to names that fit several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.past_orders import named_orders
from ibkr_trader.core.contracts import is_named
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.portfolio.lost_orders import lost_orders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.desk import Desk


def every(desk: Desk, ids: tuple[str, ...], symbol: str) -> list[Order]:
    """Return the orders to cancel: those of `ids`, of a symbol, or (with neither) all of ours.

    Raises:
        UnknownOrder: If an id is unknown.
        UsageFault: If an id may mean several orders, and is no group.
    """
    if ids:
        found = [order for one in ids for order in _named(desk, one)]
        return list({order.order_id: order for order in found}.values())
    return [
        order
        for order in desk.trader.portfolio.orders.values()
        if not order.is_foreign and is_named(order.spec.contract, symbol)
    ]


def lost(desk: Desk, symbol: str) -> list[Order]:
    """Return what a lost journal of ours had in a symbol, or (empty) anywhere: no cancel of ours.

    Another desk at our client id looks just the same, so a person takes them over first.
    """
    found = lost_orders(desk.trader.portfolio, client_id=desk.trader.client_id)
    return [order for order in found if is_named(order.spec.contract, symbol)]


def the_one(desk: Desk, text: str, *, is_stop: bool) -> Order:
    """Return the one order that `text` means; of several it must be said which.

    Args:
        desk: Where to look.
        text: As it was typed.
        is_stop: The change is one of a stop: offer that first.

    Raises:
        UnknownOrder: If there is none.
        UsageFault: If there are several, or it is over.
    """
    orders = named_orders(desk, text)
    live = [order for order in orders if not order.status.is_closed]
    # Not even a group with one live order left: it may not be the one that was meant.
    if len(orders) == 1 and live:
        return orders[0]
    if len(orders) == 1:
        message = f"{short_id(orders[0].order_id)} is {orders[0].status}"
        raise UsageFault(message, hint="ibkr-trader orders")
    live.sort(key=lambda order: (order.spec.order_type in STOP_TYPES) is not is_stop)
    raise unclear(text, live or orders)


def _named(desk: Desk, text: str) -> list[Order]:
    orders = named_orders(desk, text)
    if len(orders) > 1 and not _is_group(text, orders):
        raise unclear(text, orders)
    if len(orders) > 1:
        return [order for order in orders if not order.status.is_closed]
    return orders


def _is_group(text: str, orders: Sequence[Order]) -> bool:
    groups = {order.spec.group_id for order in orders}
    return len(groups) == 1 and text.strip() in {name for g in groups for name in (g, short_id(g))}


def unclear(text: str, orders: Sequence[Order]) -> UsageFault:
    """Return the fault of a name that fits several orders: which they are."""
    names = [short_id(order.order_id) for order in orders]
    if len(set(names)) < len(names):  # of a lost journal, and of this one
        names = [order.order_id for order in orders]
    message = f"{text} names several orders; say which: {', '.join(names)}"
    return UsageFault(message, typed=text, better=names[0])
