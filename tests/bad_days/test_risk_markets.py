"""Checks of market, time and machine: what opens nothing, and when it does again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.app import mind_clock
from ibkr_trader.core.enums import OrderStatus, Side, TradingState
from ibkr_trader.core.errors import RiskCheckError, TraderError
from ibkr_trader.core.events import StateEvent, UnknownEvent
from ibkr_trader.execution.placing import Wait
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.sim.exchange import ExchangeConfig
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.bad_lines import line_of
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, MSFT, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NEW_YORK = ZoneInfo("America/New_York")
DEFAULT = RiskLimits()
STRICT = roomy(
    halt_pause=DEFAULT.halt_pause,
    entry_delay=DEFAULT.entry_delay,
    entry_cutoff=DEFAULT.entry_cutoff,
    max_jump=DEFAULT.max_jump,
    max_rejects=DEFAULT.max_rejects,
    max_rejects_per_symbol=DEFAULT.max_rejects_per_symbol,
    max_unknown=DEFAULT.max_unknown,
    duplicate_window=timedelta(microseconds=1),
)


@asynccontextmanager
async def strict_day(folder: Path, *, opened: datetime | None = None) -> AsyncIterator[Day]:
    """A day whose desk has the default limits of these checks."""
    config = None if opened is None else ExchangeConfig(opened_at=opened.astimezone(UTC))
    async with a_day(folder, config=config) as day, day.open_desk(limits=STRICT):
        yield day


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Day]:
    async with strict_day(tmp_path) as day:
        yield day


def placed(day: Day) -> int:
    """How many new orders the wire has carried."""
    return len(day.wire.sent("placeOrder"))


async def opens(day: Day, symbol: str = "AAPL") -> None:
    """Buy a share, and find it at the exchange."""
    con_id = {"AAPL": AAPL, "MSFT": MSFT}[symbol]
    before, sent = day.ledger.held(con_id), placed(day)
    async with day.meanwhile():
        await day.desk.submit_order(single(1, symbol=symbol), wait=Wait.FILLED)
    assert (day.ledger.held(con_id), placed(day)) == (before + 1, sent + 1)


async def is_denied(day: Day, words: str, symbol: str = "AAPL", *, limit: str = "") -> None:
    """Try to buy a share, and see that nothing leaves, for the reason that `words` say."""
    before = placed(day)
    with pytest.raises(RiskCheckError, match=words):
        async with day.meanwhile():
            await day.desk.submit_order(single(1, symbol=symbol, limit=limit))
    assert placed(day) == before


async def is_denied_now(day: Day, words: str) -> None:
    """Try it without letting any time pass."""
    before = placed(day)
    with pytest.raises(RiskCheckError, match=words):
        await day.desk.submit_order(single(1))
    assert placed(day) == before


async def closes(day: Day, quantity: int = 1) -> None:
    """Sell what is held: that goes out whatever stands against openings."""
    before = day.ledger.held(AAPL)
    async with day.meanwhile():
        await day.desk.submit_order(single(quantity, side=Side.SELL), wait=Wait.FILLED)
    assert day.ledger.held(AAPL) == before - quantity


# -- prices ---------------------------------------------------------------------------------------


async def test_f_f08_a_halt_and_the_five_minutes_after_it_open_nothing(strict: Day) -> None:
    day = strict
    await opens(day)
    await day.halt()
    await day.wait(2)
    await is_denied(day, "AAPL is halted")
    await day.wait(600, step=20)
    await day.halt(on=False)
    await day.wait(2)
    await is_denied(day, r"halted a moment ago: nothing is opened for 300 s")
    await closes(day)
    await opens(day, "MSFT")
    await day.wait(270, step=10)
    await is_denied(day, "halted a moment ago")
    await day.wait(40, step=10)
    await opens(day)
    assert_sound(day, AAPL, is_protected=False)


async def test_f_f08_a_halt_that_ends_while_the_link_is_down_is_one_too(strict: Day) -> None:
    day = strict
    await opens(day)
    await day.halt()
    await day.wait(2)
    await day.lose_link()
    await day.halt(on=False)
    await day.wait(10)
    await is_denied(day, "halted a moment ago")
    await day.wait(300, step=10)
    await opens(day)


async def test_f_f02_delayed_prices_open_nothing_and_say_so(strict: Day) -> None:
    day, connection = strict, strict._connection
    assert connection is not None
    frame = connection.encode(lambda api: api.reqMarketDataType(3))
    connection.put(Parcel(Lane.DATA, (frame,)))
    await is_denied(day, "are DELAYED, not live", "NOPE", limit="10")


@pytest.mark.parametrize("limit", ["", "149"])
@pytest.mark.parametrize(("bid", "ask", "side"), [(None, "150.01", "bid"), ("149.99", None, "ask")])
async def test_f_f03_a_side_that_nobody_quotes_is_no_price(
    strict: Day, bid: str | None, ask: str | None, side: str, limit: str
) -> None:
    day = strict
    await opens(day)
    sides = {"bid": bid, "ask": ask}
    prices = {name: Decimal(at) if at is not None else None for name, at in sides.items()}
    day.exchange.market.set_quote(AAPL, bid=prices["bid"], ask=prices["ask"])
    day.server.pulse()
    await day.quiet()
    assert [e for e in day.wire.entries if e.name == "tickPrice" and "-1" in str(e)], (
        "as TWS says it"
    )
    await is_denied(day, f"has no {side}", limit=limit)
    await day.quote("149.99", "150.01")
    await day.wait(3)
    await opens(day)


@pytest.mark.parametrize(
    ("bid", "ask", "last", "words"),
    [
        ("170.00", "170.02", "170", r"has just leapt by 13\.3\d %"),
        ("130.00", "130.02", "130", r"has just leapt by 13\.3\d %"),
        ("1500.00", "150.01", "150", "is crossed"),
        ("149.99", "150.01", "1500", "contradicts itself"),
    ],
)
async def test_f_f03_a_price_that_cannot_be_right_opens_nothing(
    strict: Day, bid: str, ask: str, last: str, words: str
) -> None:
    day = strict
    await opens(day)
    await day.quote("149.99", "150.01", last="150")
    await day.wait(3)
    await day.quote(bid, ask, last=last)
    if "leapt" in words:  # it does not last, if the price stands
        await is_denied_now(day, words)
    else:
        await is_denied(day, words, limit="149")
    await day.quote("149.99", "150.01", last="150")
    await day.wait(3)
    await opens(day)


async def test_f_f03_a_leap_that_stands_is_believed(strict: Day) -> None:
    day = strict
    await opens(day)
    await day.quote("170.00", "170.02", last="170")
    await is_denied_now(day, "has just leapt")
    await day.wait(3)
    await opens(day)


# -- time ------------------------------------------------------------------------------------------


async def test_f_f06_a_half_day_stops_opening_at_a_quarter_to_one(tmp_path: Path) -> None:
    opened = datetime(2026, 11, 27, 12, 40, tzinfo=NEW_YORK)
    async with strict_day(tmp_path, opened=opened) as day:
        order = await day.desk.submit_order(single(1), wait=Wait.FILLED)
        assert order.status is OrderStatus.FILLED
        await day.wait_until(datetime(2026, 11, 27, 12, 50, tzinfo=NEW_YORK), step=60)
        await is_denied(day, "AAPL closes at 13:00:00 EST; openings go out until 12:45:00 EST")
        await closes(day)


async def test_f_f11_the_first_minutes_of_a_day_open_nothing(tmp_path: Path) -> None:
    opened = datetime(2026, 11, 20, 9, 31, tzinfo=NEW_YORK)
    async with strict_day(tmp_path, opened=opened) as day:
        await is_denied(day, "AAPL opened at 09:30:00 EST; nothing is opened in the first 300 s")
        await day.wait_until(datetime(2026, 11, 20, 9, 35, 1, tzinfo=NEW_YORK), step=60)
        await opens(day)


@pytest.mark.parametrize("hours", [1, -1])
async def test_f_f04_a_clock_an_hour_off_opens_nothing_from_that_moment_on(
    strict: Day, hours: int
) -> None:
    day = strict
    mind_clock(day.trader, line_of(day))  # as under paper and live
    await opens(day)
    await day.wait(20, step=1)
    day.time.skew = timedelta(hours=hours)
    way = "ahead of" if hours > 0 else "behind"
    words = rf"This machine's clock is 3,[56]\d\d(\.\d)? s {way} the broker's; the limit is 10 s"
    before = placed(day)
    await is_denied_now(day, words)  # before the broker is asked again
    await day.wait(15)
    await is_denied(day, words)
    assert placed(day) == before
    day.time.skew = timedelta(0)
    await day.wait(15)
    await opens(day)


# -- refusals and silence --------------------------------------------------------------------------


async def refused(day: Day, symbol: str = "AAPL") -> None:
    """Have the broker refuse a new order."""
    before = placed(day)
    with pytest.raises(TraderError, match="No margin"):
        async with day.meanwhile(within=3):
            await day.desk.submit_order(single(1, symbol=symbol))
    assert placed(day) == before + 1, "it did go out"


def refusing(day: Day) -> None:
    """Let every new order be refused from now on."""
    when = When(names=("placeOrder",), times=0)
    day.faults.arm(Fault(when=when, act=rules.Reject(code=201, text="reason:No margin")))


def states(day: Day) -> list[tuple[str, TradingState, str]]:
    return [(event.symbol, event.state, event.origin) for event in day.news(StateEvent)]


async def test_f_b08_three_refusals_put_a_symbol_off_until_somebody_resumes(strict: Day) -> None:
    day = strict
    await opens(day)
    refusing(day)
    for _ in range(3):
        await refused(day)
    day.faults.lift()
    assert states(day) == [("AAPL", TradingState.HALTED, "rejects")]
    await is_denied(day, "AAPL is HALTED .3 orders in AAPL were refused")
    await closes(day)
    await opens(day, "MSFT")
    await day.wait(120, step=20)
    await is_denied(day, "AAPL is HALTED")  # it does not end by itself
    day.trader.halter.resume("seen", origin="cli", symbol="AAPL")
    await opens(day)


async def test_f_b08_five_refusals_put_the_desk_off(strict: Day) -> None:
    day = strict
    await opens(day)
    refusing(day)
    for symbol in ("AAPL", "MSFT", "AAPL", "MSFT", "NVDA"):
        await refused(day, symbol)
    day.faults.lift()
    assert states(day) == [("", TradingState.REDUCING, "rejects")]
    for symbol in ("AAPL", "TSLA"):
        await is_denied(day, "REDUCING .5 orders were refused by the broker", symbol)
    await closes(day)
    day.trader.halter.resume("seen", origin="cli")
    await opens(day)


async def test_f_b08_a_refused_exit_stops_nobody(strict: Day) -> None:
    day = strict
    await opens(day)
    refusing(day)
    for _ in range(5):
        with pytest.raises(TraderError, match="No margin"):
            async with day.meanwhile(within=3):
                await day.desk.submit_order(single(1, side=Side.SELL, stop="140"))
    day.faults.lift()
    assert states(day) == []
    await opens(day)


async def test_f_b08_a_halt_for_refusals_outlives_a_restart(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        for n in range(3):  # each from a process of its own, as commands of a shell are
            async with day.open_desk(limits=STRICT):
                refusing(day)
                await refused(day)
                day.faults.lift()
                assert len(states(day)) == (n == 2)
        await day.wait(3600, step=600)
        async with day.open_desk(limits=STRICT):
            await is_denied(day, "AAPL is HALTED")


async def test_f_b01_two_orders_that_nobody_answers_put_the_desk_off(strict: Day) -> None:
    day = strict
    await opens(day)
    for symbol in ("MSFT", "NVDA"):
        day.faults.arm(*rules.swallow())
        async with day.trying(day.desk.submit_order(single(1, symbol=symbol))):
            await day.wait(30)
        day.faults.lift()
    assert states(day) == [("", TradingState.REDUCING, "unknown")]
    await is_denied(day, "2 commands in a row were not answered", "TSLA")
    await closes(day)
    day.trader.halter.resume("seen", origin="cli")
    await day.wait(1)
    await opens(day)


async def test_f_b01_an_answer_in_between_is_one(strict: Day) -> None:
    day = strict
    for symbol in ("AAPL", "MSFT"):
        day.faults.arm(*rules.swallow())
        async with day.trying(day.desk.submit_order(single(1, symbol=symbol))):
            await day.wait(30)
        day.faults.lift()
        if symbol == "AAPL":
            await opens(day, "MSFT")
    assert len(day.news(UnknownEvent)) == 2
    assert states(day) == []


# -- what the broker holds -------------------------------------------------------------------------


async def test_f_f09_after_a_split_nothing_opens_beside_the_old_orders(strict: Day) -> None:
    day = strict
    placed_orders = await day.desk.submit_group(bracket(10), wait=Wait.FILLED)
    await day.wait(5)
    acts = day.exchange.floor_acts
    await day.others(lambda now: acts.split(AAPL, new=4, old=1, now=now))
    await day.wait(30)
    assert day.ledger.held(AAPL) == 40
    await is_denied(day, "has restated the position in AAPL")
    await opens(day, "MSFT")
    for order in placed_orders[1:]:
        async with day.meanwhile():
            await day.desk.cancel_order(order.order_id)
    await day.wait(5)
    await opens(day)


async def test_f_c10_the_ratio_counts_every_order_of_ours_and_outlives_a_restart(
    tmp_path: Path,
) -> None:
    async with a_day(tmp_path) as day:
        for rounds in (1, 2):
            async with day.open_desk(limits=STRICT):
                orders = await day.desk.submit_group(bracket(10, limit="149"))
                await day.desk.cancel_order(orders[0].order_id)
                await day.wait(1)
                told = day.trader.outlook.view().traffic
                assert told is not None
                assert told.orders == placed(day) == 3 * rounds
                assert told.cancels == len(day.wire.sent("cancelOrder")) == rounds
                assert told.executions == 0
        await day.wait(24 * 3600, step=3600)
        async with day.open_desk(limits=STRICT):
            told = day.trader.outlook.view().traffic
            assert told is None or told.messages == 0
