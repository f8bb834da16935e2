"""The day's orders that are over, from the journal: the desk itself starts without them.

A start reads only what is alive. What a person asks for by name, or with `--all`, is
folded here from the same events, by the same state machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.events import BaseEvent, OrderEvent
from ibkr_trader.core.trading_day import NEW_YORK, day_start
from ibkr_trader.orders import lifecycle
from ibkr_trader.portfolio.finding import find_orders

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.ports import Journal

_STEP = 1_000  # records


def past_orders(desk: Desk) -> list[Order]:
    """Return the exchange day's orders that the desk does not carry any more, oldest first.

    Raises:
        JournalError: If the journal is damaged.
    """
    portfolio = desk.trader.portfolio
    since = day_start(desk.trader.clock.now(), ZoneInfo(NEW_YORK))
    return [
        order
        for order_id, order in _fold(desk.trader.journal, since).items()
        if portfolio.order(order_id) is None
    ]


def find_past(desk: Desk, text: str) -> list[Order]:
    """Return which of those orders `text` names."""
    orders = past_orders(desk)
    ids = set(find_orders(text, (), orders))
    return [order for order in orders if order.order_id in ids]


def beginning(journal: Journal, since: datetime) -> int:
    """Return a record number after which lies all that happened from `since` on.

    It is looked for from the end, in steps that double: a day's orders cost what the day has,
    however old the journal is.

    Raises:
        JournalError: If the journal is damaged where it is looked at.
    """
    number, step = journal.state.last_record, _STEP
    while number > 0:
        number, step = max(0, number - step), step * 2
        events = (one for _, one in journal.messages(since=number) if isinstance(one, BaseEvent))
        first = next(events, None)
        if first is not None and first.at < since:
            break
    return number


def _fold(journal: Journal, since: datetime) -> dict[OrderId, Order]:
    orders: dict[OrderId, Order] = {}
    for _, event in journal.messages(since=beginning(journal, since)):
        if not isinstance(event, OrderEvent) or event.at < since:
            continue
        known = orders.get(event.order_id)
        try:
            # An illegal event is drift, and leaves the order as it was.
            after = lifecycle.apply(known, event) if known else lifecycle.open_order(event)
        except InvariantBroken:
            continue  # news of an order that began before the day
        if after is not None:
            orders[event.order_id] = after
    return orders
