"""Orders that are over, from the journal: the desk itself starts without them.

A start reads only what is alive. What a person asks for by name, or with `--all`, is
folded here from the same events, by the same state machine: the day's, or (of `why`) any
that is on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.events import BaseEvent, OrderEvent
from ibkr_trader.core.trading_day import NEW_YORK, day_start
from ibkr_trader.execution import long_reading
from ibkr_trader.execution.desk import UnknownOrder
from ibkr_trader.orders import lifecycle
from ibkr_trader.portfolio.finding import find_orders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.ports import Journal

    Reading = Callable[[Journal], AsyncIterator[Command | BaseEvent]]

_STEP = 1_000  # records


class OnRecord(NamedTuple):
    """What the journal has under a name.

    Attributes:
        orders: What is meant; none if nothing is on record.
        known: Every order that was found on the way, by its id; those begun last are last. (By
            their times that cannot be told: the simulator's clock may have been set back.)
        is_symbol: They were meant by their symbol, and may have little to do with each other.
        reading: What reads as much of the journal as it took to find them.
    """

    orders: list[Order]
    known: dict[OrderId, Order]
    is_symbol: bool
    reading: Reading


def past_orders(desk: Desk) -> list[Order]:
    """Return the exchange day's orders that the desk does not carry any more, oldest first.

    Raises:
        JournalError: If the journal is damaged.
    """
    portfolio = desk.trader.portfolio
    since = day_start(desk.trader.clock.now(), ZoneInfo(NEW_YORK))
    return [
        order
        for order_id, order in _since(desk.trader.journal, since).items()
        if portfolio.order(order_id) is None
    ]


def named_orders(desk: Desk, text: str) -> list[Order]:
    """Return the orders that `text` names: those that the desk carries, or else the day's past.

    Raises:
        UnknownOrder: If there is none.
        JournalError: If the journal is damaged.
    """
    portfolio = desk.trader.portfolio
    carried = [portfolio.order(order_id) for order_id in portfolio.find(text)]
    found = [order for order in carried if order is not None]
    if not found:
        past = past_orders(desk)
        ids = set(find_orders(text, (), past))
        found = [order for order in past if order.order_id in ids]
    if not found:
        message = f"order {text} is unknown"
        raise UnknownOrder(message, hint="ibkr-trader orders --all")
    return found


async def on_record(desk: Desk, about: str, *, only_recent: bool = False) -> OnRecord:
    """Return the orders of a symbol, or those that `about` names, of whatever day.

    The journal's end is read first; all of it for what is not there, unless `only_recent`.

    Raises:
        JournalError: If the journal is damaged.
    """
    found = await _read(desk, about, long_reading.recent)
    is_all = desk.trader.journal.state.last_record <= long_reading.RECORDS
    if found.orders or is_all or only_recent:
        return found
    return await _read(desk, about, long_reading.every_message)


async def _read(desk: Desk, about: str, reading: Reading) -> OnRecord:
    folded, portfolio = _Fold(), desk.trader.portfolio
    async for message in reading(desk.trader.journal):
        folded.hear(message)
    carried = {**portfolio.closed, **portfolio.orders}
    older = {key: one for key, one in carried.items() if key not in folded.orders}
    known = {**older, **folded.orders, **carried}  # what the desk carries it knows best
    same = [one for one in known.values() if ticker(one.spec.contract) == about.upper()]
    return OnRecord(same or _named(known, about), known, bool(same), reading)


def _named(orders: dict[OrderId, Order], text: str) -> list[Order]:
    every = orders.values()
    live = [one for one in every if not one.status.is_closed]
    return [orders[i] for i in find_orders(text, live, (o for o in every if o.status.is_closed))]


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


class _Fold:
    """Folds what is heard into orders."""

    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}

    def hear(self, event: Command | BaseEvent) -> None:
        """Take note of an order's news; other messages change nothing."""
        if not isinstance(event, OrderEvent):
            return
        known = self.orders.get(event.order_id)
        try:
            # An illegal event is drift, and leaves the order as it was.
            after = lifecycle.apply(known, event) if known else lifecycle.open_order(event)
        except InvariantBroken:
            return  # news of an order that began before what is read
        if after is not None:
            self.orders[event.order_id] = after


def _since(journal: Journal, since: datetime) -> dict[OrderId, Order]:
    folded = _Fold()
    for _, event in journal.messages(since=beginning(journal, since)):
        if isinstance(event, OrderEvent) and event.at >= since:
            folded.hear(event)
    return folded.orders
