"""The end of the day: when it is due, what is then done, and what is said otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import Contract, Session
from ibkr_trader.core.trading_day import TradingDay
from ibkr_trader.execution.day_end import (
    DayEndPlan,
    Due,
    MarketEnd,
    end_day,
    look_again,
    survey,
)
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, Floor, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader

FRIDAY = date(2026, 11, 20)
OPENS = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSES = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
DAY = TradingDay(date=FRIDAY, session=Session(OPENS, CLOSES))
PLAN = DayEndPlan()
TO_CLOSE = 6 * 3600.0  # seconds, from the Floor's 10:00 in New York


def minute(number: float) -> datetime:
    """Return a moment so many minutes before the close."""
    return CLOSES - timedelta(minutes=number)


@pytest.mark.parametrize(
    ("day", "now", "plan", "due"),
    [
        (DAY, OPENS - timedelta(hours=1), PLAN, Due.EARLY),
        (DAY, minute(60), PLAN, Due.EARLY),
        (DAY, minute(5.01), PLAN, Due.EARLY),
        (DAY, minute(5), PLAN, Due.NOW),
        (DAY, minute(0.01), PLAN, Due.NOW),
        (DAY, minute(0), PLAN, Due.OVER),
        (DAY, minute(-300), PLAN, Due.OVER),
        # A window that ends before the close: late is late, and then only told.
        (DAY, minute(29), DayEndPlan(before=timedelta(minutes=30)), Due.NOW),
        (DAY, minute(20), DayEndPlan(before=timedelta(minutes=30)), Due.MISSED),
        # At once is at once, while the market is open; the night is the night.
        (DAY, minute(60), DayEndPlan(at_once=True), Due.NOW),
        (DAY, minute(-1), DayEndPlan(at_once=True), Due.OVER),
        (DAY, OPENS - timedelta(minutes=1), DayEndPlan(at_once=True), Due.EARLY),
        # A window longer than the day begins with it.
        (DAY, OPENS - timedelta(minutes=1), DayEndPlan(before=timedelta(hours=9)), Due.EARLY),
        (TradingDay(date=FRIDAY), minute(5), PLAN, Due.HOLIDAY),
        (TradingDay(date=FRIDAY), minute(5), DayEndPlan(at_once=True), Due.HOLIDAY),
        (TradingDay(date=FRIDAY, is_known=False), minute(5), PLAN, Due.UNKNOWN),
        (TradingDay(date=FRIDAY, is_known=False), minute(5), DayEndPlan(at_once=True), Due.NOW),
    ],
)
def test_f_f07_it_is_due_in_its_window_and_at_no_other_time(
    day: TradingDay, now: datetime, plan: DayEndPlan, due: Due
) -> None:
    assert plan.due(day, now) is due


@pytest.mark.parametrize(
    ("due", "held", "more", "is_well"),
    [
        (Due.OVER, 0, {}, True),
        (Due.OVER, 5, {}, False),
        (Due.OVER, 0, {"left": ("memo-1-stop",)}, False),
        (Due.EARLY, 5, {}, True),
        (Due.EARLY, 5, {"trouble": "no timed exit"}, False),
        (Due.HOLIDAY, 5, {}, True),
        (Due.NOW, 5, {}, False),
        (Due.NOW, 5, {"timed": ("memo-1-timed",)}, True),
        (Due.MISSED, 5, {}, False),
        (Due.UNKNOWN, -5, {}, False),
    ],
)
def test_what_is_well_at_this_hour(
    due: Due, held: int, more: dict[str, Any], is_well: bool
) -> None:
    contract = Contract(symbol="AAPL", con_id=AAPL)
    end = MarketEnd(contract=contract, day=DAY, due=due, held=Decimal(held), **more)
    assert end.is_well is is_well


async def fire(trader: Trader, plan: DayEndPlan = PLAN, *, timeout: float = 5) -> list[MarketEnd]:
    """Do what the command does."""
    ends = await survey(trader, ExchangeCalendar(), plan)
    await end_day(trader, ends, timeout=timeout)
    await look_again(trader, ends)
    return ends


async def hold(trader: Trader) -> None:
    """Hold AAPL under a bracket and be short of MSFT, with an entry working in each."""
    desk = Desk(trader)
    await desk.submit_group(bracket(), wait=Wait.FILLED)
    short = msgspec.structs.replace(request(7, side=Side.SELL), symbol="MSFT")
    await desk.submit_order(short, wait=Wait.FILLED)
    await desk.submit_order(request(5, limit="149.00"))


def no_orders(trader: Trader) -> bool:
    return not trader.portfolio.orders and not trader.portfolio.positions


async def test_before_its_window_it_says_when_and_touches_nothing() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        before = set(trader.portfolio.orders)
        ends = await fire(trader)
        assert [(end.contract.symbol, end.due, end.is_well) for end in ends] == [
            ("AAPL", Due.EARLY, True),
            ("MSFT", Due.EARLY, True),
        ]
        assert PLAN.acts_at(ends[0].day) == minute(5)
        assert set(trader.portfolio.orders) == before


async def test_long_and_short_are_ended_together_with_entries_and_exits() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        floor.clock.advance(TO_CLOSE - 240)
        ends = await fire(trader)
        assert all(end.is_flat and end.is_well for end in ends)
        assert no_orders(trader)
        assert await fire(trader) == []  # and a second time there is nothing to do


async def test_only_the_symbols_that_were_named() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        floor.clock.advance(TO_CLOSE - 240)
        await fire(trader, DayEndPlan(symbols=("MSFT",)))
        assert set(trader.portfolio.positions) == {AAPL}
        assert len(trader.portfolio.orders) == 3


async def test_f_f06_on_a_half_day_it_is_due_before_one_o_clock() -> None:
    floor = Floor()
    floor.clock.advance(7 * 24 * 3600)  # the Friday after Thanksgiving, 10:00
    async with floor.trader() as trader:
        await hold(trader)
        floor.clock.advance(3 * 3600 - 240)
        ends = await fire(trader)
        assert [end.day.notes for end in ends] == [(), ()]
        assert no_orders(trader)


async def test_f_f06_a_closure_that_only_the_broker_knows_is_a_day_without_trading() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        details = trader.outlook.details(AAPL)
        assert details is not None
        later = tuple(one for one in details.liquid_sessions if one.closes > CLOSES)
        closed = msgspec.structs.replace(details, liquid_sessions=later)
        floor.clock.advance(TO_CLOSE - 240)

        async def resolve(*_: object, **__: object) -> object:
            return closed

        trader.market.resolve = resolve  # type: ignore[method-assign,assignment] # the broker's new word
        (end,) = await fire(trader, DayEndPlan(symbols=("AAPL",)))
        assert (end.due, end.is_well, end.held) == (Due.HOLIDAY, True, Decimal(10))
        assert "none by the broker" in end.day.notes[0]


async def test_s29_after_the_close_it_says_what_is_left_and_touches_nothing() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        floor.clock.advance(TO_CLOSE + 60)
        ends = await fire(trader)
        assert [(end.due, end.is_well, int(end.held)) for end in ends] == [
            (Due.OVER, False, 10),
            (Due.OVER, False, -7),
        ]
        assert {o.spec.role for o in trader.portfolio.orders.values()} >= {OrderRole.STOP}


async def test_what_cannot_be_closed_is_told_with_the_reason_and_stops_no_other() -> None:
    floor = Floor()
    guard = RiskGuard(
        extra=(lambda spec: spec.role is not OrderRole.CLOSE or spec.contract.symbol != "AAPL",)
    )
    async with floor.trader(guard=guard) as trader:
        await hold(trader)
        floor.clock.advance(TO_CLOSE - 240)
        aapl, msft = await fire(trader)
        assert (aapl.is_well, int(aapl.held), msft.is_well) == (False, 10, True)
        assert "its stop is put back" in aapl.trouble
        assert aapl.left == ("k7qav-4-stop",) or len(aapl.left) == 1


async def test_the_answer_is_what_the_broker_has_and_not_what_we_heard() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        floor.clock.advance(TO_CLOSE + 60)
        ends = await survey(trader, ExchangeCalendar(), PLAN)
        assert not ends[0].is_flat
        floor.exchange.hand.place(
            OrderTerms(con_id=AAPL, action="SELL", quantity=Decimal(10), order_type="LMT",
                       limit_price=Decimal("149.00"), outside_rth=True),
            now=floor.clock.now(),
        )  # fmt: skip
        assert not ends[0].is_flat  # nobody told us
        await look_again(trader, ends)
        assert ends[0].is_flat
        assert ends[0].is_well


async def test_a_contract_that_nobody_can_name_any_more_is_told() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        gone = msgspec.structs.replace(position.contract, symbol="GONE", con_id=7)
        held = msgspec.structs.replace(position, contract=gone)
        trader.record.write([ev.SyncEvent(at=floor.clock.now(), epoch=1, positions=(held,))])
        (end,) = await survey(trader, ExchangeCalendar(), PLAN)
        assert (end.due, end.is_well) == (Due.UNKNOWN, False)
        assert "GONE" in end.trouble
        assert "does not know GONE any more" in end.day.notes[0]


async def test_orders_of_others_are_counted_and_left_alone() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        floor.sell_as_another_client(4, limit="190.00")
        await trader.recovery.synchronize()
        floor.clock.advance(TO_CLOSE - 240)
        (end,) = await fire(trader)
        assert (int(end.held), end.left, len(end.strangers)) == (4, (), 1)
        assert not end.is_well
