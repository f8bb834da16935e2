"""Ending the day flat: cancel entries, close what is held, and look whether it is so.

Made to be called by cron, often and at any hour. Each market has its own day; what is due
is what its window says, and everything else is left alone and told. The broker is asked
afterwards, so the answer is never what we hoped for but what is there.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.contracts import is_named, label, ticker
from ibkr_trader.core.enums import OrderRole, TimeInForce
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable
from ibkr_trader.core.models import ZERO, Contract, OrderId
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.core.trading_day import TradingDay, date_of, trading_day
from ibkr_trader.execution.closing import close_each
from ibkr_trader.execution.exchange_hours import exchange_now
from ibkr_trader.orders.closing import KIND
from ibkr_trader.portfolio.caring import is_released
from ibkr_trader.portfolio.flattening import unfinished
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.ports import Calendar
    from ibkr_trader.execution.trader import Trader

ORIGIN = "eod"


class Due(StrEnum):
    """Whether a market's day is to be ended now, and if not, why."""

    EARLY = "early"  # its window is still to come
    NOW = "now"
    MISSED = "missed"  # its window is over, the market is still open
    OVER = "over"  # the market has closed
    HOLIDAY = "holiday"
    UNKNOWN = "unknown"  # nobody says when it closes
    RELEASED = "released"  # a person wants it left alone


_MAY_WAIT = frozenset({Due.EARLY, Due.HOLIDAY, Due.RELEASED})


class DayEndPlan(msgspec.Struct, frozen=True, kw_only=True):
    """When to act.

    Attributes:
        before: How long before the close the window opens.
        window: How long it stays open; the close ends it in any case.
        at_once: Act in any open market, whatever the window.
        symbols: Only these; empty is everything.
    """

    before: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(minutes=10)
    at_once: bool = False
    symbols: tuple[str, ...] = ()

    def acts_at(self, day: TradingDay) -> datetime | None:
        """Return when its window opens; None if it does not trade, or nobody knows."""
        if day.session is None or not day.is_known:
            return None
        return day.session.closes - self.before

    def due(self, day: TradingDay, now: datetime) -> Due:
        """Return whether a market with this day is to be ended at `now`."""
        phase = day.phase(now)
        if phase == "holiday":
            return Due.HOLIDAY
        if phase == "after":
            return Due.OVER
        if self.at_once and phase in {"open", "unknown"}:
            return Due.NOW  # of unknown hours the broker will say whether it trades
        opens = self.acts_at(day)
        if opens is None:
            return Due.UNKNOWN
        if now < opens or phase == "before":
            return Due.EARLY
        return Due.NOW if now < opens + self.window else Due.MISSED


class MarketEnd(msgspec.Struct, kw_only=True):
    """What became of one contract.

    Attributes:
        contract: What was held, or had orders of ours.
        day: Its market's day.
        due: Whether it was to be ended.
        held: What is held: before, and at last as the broker says.
        trouble: What went wrong, in plain words.
        orders: What the closing waited for.
        left: Orders of ours that still work.
        strangers: Orders of others that work in it: counted, never touched.
        timed: The exits with which the broker will end it by itself.
        expiring: Stops that end with the day, though the position may not.
        is_seen: Whether the broker has told how it stands; else it is what was known last.
    """

    contract: Contract
    day: TradingDay
    due: Due
    held: Decimal = ZERO
    trouble: str = ""
    orders: tuple[Order, ...] = ()
    left: tuple[OrderId, ...] = ()
    strangers: tuple[OrderId, ...] = ()
    timed: tuple[OrderId, ...] = ()
    expiring: tuple[OrderId, ...] = ()
    is_seen: bool = True

    @property
    def is_flat(self) -> bool:
        """Whether the broker says that nothing is held, and that nothing of ours can trade."""
        return self.is_seen and not self.held and not self.left

    @property
    def is_well(self) -> bool:
        """Whether it is as it should be at this hour."""
        may_wait = self.due in _MAY_WAIT or (self.due is Due.NOW and bool(self.timed))
        return self.is_flat or (may_wait and not self.trouble)


async def survey(trader: Trader, calendar: Calendar, plan: DayEndPlan) -> list[MarketEnd]:
    """Return every contract that is not at rest, with its market's day; nothing is touched."""
    found = unfinished(trader.portfolio).values()
    wanted = [
        one
        for one in found
        if not plan.symbols or any(is_named(one, symbol) for symbol in plan.symbols)
    ]
    ends: list[MarketEnd] = []
    for contract in sorted(wanted, key=label):
        trouble = ""
        try:
            await trader.learn(ticker(contract), currency=contract.currency)  # hours of today
        except AmbiguousContract as error:
            trouble = error.message
        day = _day_of(trader, calendar, contract)
        due = plan.due(day, exchange_now(trader))
        if is_released(trader.portfolio, contract.con_id):
            due, trouble = Due.RELEASED, ""
        end = MarketEnd(contract=contract, day=day, due=due, trouble=trouble)
        ends.append(_looked_at(trader, end))
    return ends


async def end_day(
    trader: Trader,
    ends: Iterable[MarketEnd],
    *,
    timeout: float,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """End what is due among `ends`; `look_again` then says how it stands.

    Entries go first, everywhere, so that nothing new is opened while the rest is closed.
    Each closing is bounded by `timeout` seconds; one that fails stops no other.
    """
    due = [end for end in ends if end.due is Due.NOW]
    for end in due:
        await _cancel_entries(trader, end, tell)
    contracts = [end.contract for end in due]
    closed = await close_each(trader, contracts, timeout=timeout, origin=ORIGIN, tell=tell)
    for end, result in zip(due, closed, strict=True):
        end.orders = result.orders
        end.trouble = result.trouble.message if result.trouble is not None else ""


async def look_again(trader: Trader, ends: Iterable[MarketEnd]) -> None:
    """Ask the broker for everything, and enter into `ends` what is there.

    Raises:
        BrokerUnavailable: If it does not tell the whole truth.
    """
    await trader.recovery.synchronize()
    for end in ends:
        _looked_at(trader, end)


def not_seen(trader: Trader, ends: Iterable[MarketEnd], why: str) -> None:
    """Enter into `ends` what was known last: what was sent has left, and nobody confirms it."""
    for end in ends:
        _looked_at(trader, end)
        end.is_seen = False
        end.trouble = end.trouble or f"the broker does not say how it stands: {why}"


def _day_of(trader: Trader, calendar: Calendar, contract: Contract) -> TradingDay:
    now = exchange_now(trader)
    details = trader.outlook.details(contract.con_id)
    if details is None:
        note = f"the broker does not know {label(contract)} any more"
        return TradingDay(date=now.date(), is_known=False, notes=(note,))
    zone = calendar.zone(details)
    day = date_of(details.liquid_sessions, now=now, zone=zone)
    announced = calendar.announced(details, day)
    return trading_day(details.liquid_sessions, announced, day=day, zone=zone)


async def _cancel_entries(trader: Trader, end: MarketEnd, tell: Callable[[str], None]) -> None:
    """Take back what could open, without waiting: the closing waits for it."""
    held = quantity_of(trader.portfolio, end.contract.con_id)
    for order in tuple(trader.portfolio.orders.values()):
        spec = order.spec
        is_ours = spec.contract.con_id == end.contract.con_id and not order.is_foreign
        opens = not spec.role.is_protective and spec.side.sign * held >= 0
        if not is_ours or not opens or spec.parent_id is not None:
            continue
        tell(f"{label(end.contract)}: cancelling the entry {order.order_id}")
        command = CancelOrder(
            order_id=order.order_id, broker_order_id=spec.broker_order_id, origin=KIND
        )
        with contextlib.suppress(BrokerUnavailable):  # it is on record; the closing asks again
            await trader.router.route(command)


def _looked_at(trader: Trader, end: MarketEnd) -> MarketEnd:
    """Enter into `end` what is held and what works, as it is now known."""
    portfolio, con_id = trader.portfolio, end.contract.con_id
    end.held = quantity_of(portfolio, con_id)
    working = [o for o in portfolio.orders.values() if o.spec.contract.con_id == con_id]
    end.left = tuple(o.order_id for o in working if not o.is_foreign)
    end.strangers = tuple(o.order_id for o in working if o.is_foreign)
    end.timed = tuple(o.order_id for o in working if o.spec.role is OrderRole.TIMED)
    end.expiring = tuple(
        order.order_id
        for order in working
        if order.spec.order_type in STOP_TYPES
        and order.spec.time_in_force is TimeInForce.DAY
        and order.spec.side.sign * end.held < 0
    )
    return end
