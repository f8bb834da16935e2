"""1.F: prices that cannot be trusted, clocks that jump, halts, splits, and the day's end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.app import mind_clock
from ibkr_trader.core.enums import Side
from ibkr_trader.core.errors import RiskCheckError, TraderError
from ibkr_trader.core.events import CoverEvent, FillEvent
from ibkr_trader.execution.closing import close_contract, close_each
from ibkr_trader.execution.day_end import DayEndPlan, Due, MarketEnd, end_day, look_again, survey
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.exchange import ExchangeConfig
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.bad_lines import line_of
from tests.bad_days.judges import assert_over, assert_sound
from tests.bad_days.requests import bracket, single, trail
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

NEW_YORK = ZoneInfo("America/New_York")
TICKS = ("tickPrice", "tickSize", "tickString", "tickGeneric")
SENT = ("placeOrder", "modifyOrder", "cancelOrder")


async def held(day: Day, quantity: int = 10) -> None:
    """Hold AAPL under a bracket whose entry has filled."""
    await day.desk.submit_group(bracket(quantity), wait=Wait.FILLED)
    await day.quiet()
    assert_sound(day, AAPL)


async def trailed(day: Day) -> None:
    """Hold AAPL under a managed trail that has followed the market to 150."""
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.accepted(trail(is_managed=True))
    await day.rise("149.90", "150")
    await day.wait(3)
    assert_sound(day, AAPL)


def in_new_york(text: str) -> datetime:
    """Return a moment of New York's clock, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def stop_price(day: Day) -> Decimal:
    """Return where the one stop stands at the exchange."""
    (stop,) = day.ledger.live(AAPL)
    assert stop.stop_price is not None
    return stop.stop_price


async def test_f_f01_a_price_that_nobody_renews_opens_nothing(day: Day) -> None:
    await held(day)
    day.faults.arm(Fault(when=When(names=TICKS, times=0, answers=True), act=rules.Drop()))
    await day.wait(30)
    before = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError, match=r"price|quote"):
        async with day.meanwhile():
            await day.desk.submit_order(single(1))
    assert len(day.wire.sent("placeOrder")) == before
    assert_sound(day, AAPL)


async def test_f_f01_a_managed_stop_stands_still_while_no_prices_come(day: Day) -> None:
    await trailed(day)
    before = stop_price(day)
    day.faults.arm(Fault(when=When(names=TICKS, times=0), act=rules.Drop()))
    await day.rise("150", "158")
    assert stop_price(day) == before
    day.faults.lift()
    await day.rise("158", "158.20")
    await day.wait(3)
    assert stop_price(day) > before
    assert_sound(day, AAPL)


async def test_f_f02_delayed_prices_open_nothing(day: Day) -> None:
    with pytest.raises(RiskCheckError):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, symbol="NOPE"))
    assert not day.wire.sent("placeOrder")


@pytest.mark.parametrize(
    ("bid", "ask", "last"),
    [
        ("149.99", "150.01", "1500"),  # a print from nowhere
        ("1500.00", "1500.02", "1500"),  # and a whole market from nowhere, once
        ("1500.00", "150.01", "150"),  # crossed
    ],
)
async def test_f_f03_one_bad_print_moves_no_stop(day: Day, bid: str, ask: str, last: str) -> None:
    await trailed(day)
    before = stop_price(day)
    await day.quote(bid, ask, last=last)
    await day.quote("149.99", "150.01", last="150")
    await day.wait(5)
    assert stop_price(day) == before
    assert_sound(day, AAPL)


@pytest.mark.parametrize("hours", [1, -1])
async def test_f_f04_a_clock_that_jumps_sends_nothing(day: Day, hours: int) -> None:
    await held(day)
    before = len(day.wire.sent(*SENT))
    day.time.skew = timedelta(hours=hours)
    await day.wait(15)
    day.time.skew = timedelta(0)
    await day.wait(15)
    assert len(day.wire.sent(*SENT)) == before
    assert_sound(day, AAPL)


@pytest.mark.parametrize("hours", [24, -1, -24])
async def test_f_f04_a_position_is_closed_whatever_the_clock_says(day: Day, hours: int) -> None:
    await held(day)
    mind_clock(day.trader, line_of(day))  # as under paper and live
    day.time.skew = timedelta(hours=hours)
    contract = day.trader.portfolio.positions[AAPL].contract
    async with day.meanwhile():
        (closed,) = await close_each(day.trader, [contract], timeout=20, origin="close")
    assert closed.trouble is None
    assert_over(day)


# -- the day's end ------------------------------------------------------------------------------


async def end_the_day(day: Day, plan: DayEndPlan | None = None) -> list[MarketEnd]:
    """Do what cron's command does, and return how it stands."""
    ends = await survey(day.trader, ExchangeCalendar(), plan or DayEndPlan())
    async with day.meanwhile():
        await end_day(day.trader, ends, timeout=20)
    await look_again(day.trader, ends)
    return ends


@pytest.mark.parametrize(
    ("opened", "closes"),
    [
        ("2026-03-06T10:00", "2026-03-06T16:00"),  # the last day of winter time
        ("2026-03-09T10:00", "2026-03-09T16:00"),  # the first of summer time
        ("2026-11-02T10:00", "2026-11-02T16:00"),  # and back again
    ],
)
async def test_f_f05_the_day_ends_by_new_yorks_clock(
    opened: str, closes: str, tmp_path: Path
) -> None:
    config = ExchangeConfig(opened_at=in_new_york(opened))
    async with a_day(tmp_path, config=config) as day, day.open_desk():
        await held(day)
        early = await survey(day.trader, ExchangeCalendar(), DayEndPlan())
        assert [end.due for end in early] == [Due.EARLY]
        await day.wait_until(in_new_york(closes) - timedelta(minutes=4))
        (end,) = await end_the_day(day)
        assert (end.due, end.is_flat) == (Due.NOW, True)
        assert_over(day)


async def test_f_f06_a_half_day_ends_at_one(tmp_path: Path) -> None:
    opened = datetime(2026, 11, 27, 10, tzinfo=NEW_YORK).astimezone(UTC)
    config = ExchangeConfig(opened_at=opened)
    async with a_day(tmp_path, config=config) as day, day.open_desk():
        await held(day)
        await day.wait_until(datetime(2026, 11, 27, 12, 56, tzinfo=NEW_YORK))
        (end,) = await end_the_day(day)
        assert (end.due, end.is_flat) == (Due.NOW, True)
        assert_over(day)


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_f_f07_ending_the_day_again_does_nothing_more(day: Day, times: int) -> None:
    await held(day)
    await day.desk.submit_order(single(5, limit="140"))
    await day.wait_until(datetime(2026, 11, 20, 15, 56, tzinfo=NEW_YORK))
    for _ in range(times):
        for end in await end_the_day(day):
            assert end.is_flat
    assert_over(day)
    assert len(day.ledger.executions(AAPL)) == 2
    assert_sound(day, AAPL)


async def test_f_f07_a_day_that_cannot_be_ended_is_said_and_stays_protected(day: Day) -> None:
    await held(day)
    await day.halt()
    await day.wait_until(datetime(2026, 11, 20, 15, 56, tzinfo=NEW_YORK))
    (end,) = await end_the_day(day)
    assert not end.is_flat
    assert end.trouble
    assert len([e for e in day.wire.sent("placeOrder") if e.order_ref.endswith("close")]) <= 1


async def test_f_f07_too_late_is_said_and_nothing_is_touched(day: Day) -> None:
    await held(day)
    await day.wait_until(datetime(2026, 11, 20, 16, 30, tzinfo=NEW_YORK))
    before = len(day.wire.sent(*SENT))
    (end,) = await end_the_day(day)
    assert (end.due, end.is_well) == (Due.OVER, False)
    assert len(day.wire.sent(*SENT)) == before
    assert_sound(day, AAPL)


# -- halts, splits, and hours ---------------------------------------------------------------------


async def test_f_f08_a_halt_holds_the_stop_and_the_one_close(day: Day) -> None:
    await held(day)
    await day.halt()
    await day.gap("140")  # the stop's price is long gone, and nobody trades
    await day.wait(10)
    assert day.ledger.held(AAPL) == 10
    contract = next(iter(day.trader.portfolio.positions.values())).contract
    with pytest.raises(TraderError):
        async with day.meanwhile():
            await close_contract(day.trader, contract, timeout=20)
    closes = [e for e in day.wire.sent("placeOrder") if e.order_ref.endswith("-close")]
    assert len(closes) <= 1  # one waits; none is sent again
    await day.halt(on=False)
    await day.wait(10)
    assert day.ledger.held(AAPL) == 0
    assert_sound(day, AAPL)


@pytest.mark.parametrize(("new", "old", "after"), [(4, 1, 40), (1, 3, 3)])
async def test_f_f09_a_split_is_taken_over_and_no_old_price_is_sent(
    day: Day, new: int, old: int, after: int
) -> None:
    await held(day)
    before = len(day.wire.sent(*SENT))
    acts = day.exchange.floor_acts
    await day.others(lambda now: acts.split(AAPL, new=new, old=old, now=now))
    await day.wait(30)
    assert day.ledger.held(AAPL) == after
    sent = day.wire.sent(*SENT)[before:]
    assert not [entry for entry in sent if entry.name == "placeOrder"]  # a person sets new prices
    assert any(event.covered < event.held for event in day.news(CoverEvent))
    assert_sound(day, AAPL, is_protected=False)


async def test_f_f11_a_stop_sleeps_outside_regular_hours_and_meets_the_opening(day: Day) -> None:
    await held(day)
    await day.wait_until(datetime(2026, 11, 23, 8, tzinfo=NEW_YORK), step=7_200)
    await day.quote("139.90", "140.00")
    await day.wait(5)
    assert day.ledger.held(AAPL) == 10  # through the stop, and nothing happens before the opening
    await day.wait_until(datetime(2026, 11, 23, 9, 30, 5, tzinfo=NEW_YORK))
    assert day.ledger.held(AAPL) == 0
    assert day.ledger.executions(AAPL)[-1].price < 141
    assert_sound(day, AAPL)


async def test_f_f08_nothing_opens_in_a_halted_market(day: Day) -> None:
    await held(day)
    await day.halt()
    await day.wait(2)
    before = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, side=Side.BUY))
    assert len(day.wire.sent("placeOrder")) == before


@pytest.mark.parametrize("hours", [23, 30])
async def test_what_executes_while_our_clock_is_a_day_ahead_counts(day: Day, hours: int) -> None:
    """By our clock it was made before all was told last."""
    await held(day)
    mind_clock(day.trader, line_of(day))
    day.time.skew = timedelta(hours=hours)
    await day.trader.recovery.synchronize()
    before = len(day.news(FillEvent))
    await day.quote("140.00", "140.02")
    await day.wait(5)
    assert day.ledger.held(AAPL) == 0, "the stop has filled"
    assert len(day.news(FillEvent)) == before + 1
    day.time.skew = timedelta(0)
    for _ in range(2):
        await day.trader.recovery.synchronize()
    assert len(day.news(FillEvent)) == before + 1
    assert not day.trader.portfolio.positions
