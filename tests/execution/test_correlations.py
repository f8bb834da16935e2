"""Prices come once, one after the other, as fast as the broker likes it; what came is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.correlation_file import CorrelationFile, PriceFiles
from ibkr_trader.adapters.sectors_file import SectorsFile
from ibkr_trader.core.errors import BrokerUnavailable, DataRefused
from ibkr_trader.core.events import DisconnectEvent
from ibkr_trader.core.models import Bar, Contract, ContractDetails, Session
from ibkr_trader.execution.correlation_watch import CorrelationWatch
from ibkr_trader.execution.correlations import (
    Fetched,
    Pace,
    PriceFetch,
    Progress,
    computed,
    last_completed,
    needed,
    wanted_symbols,
)
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.concentration import Basis, standing
from ibkr_trader.rules.bar_sizes import duration_for
from ibkr_trader.sim.market_data import SimulatedMarketData
from tests.execution.parts import START, Floor, request
from tests.invariants.virtual_time import VirtualLoop

R = TypeVar("R")
SYMBOLS = ("AAPL", "MSFT", "KO")


def virtually(work: Coroutine[Any, Any, R]) -> R:
    """Run on a loop whose waits cost nothing."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


class Moody(SimulatedMarketData):
    """Market data that fails as it is told: each failure once, at the bars of its symbol."""

    def __init__(self, floor: Floor, **moods: Iterable[Exception]) -> None:
        super().__init__(floor.exchange, clock=floor.clock)
        self.moods = {symbol: list(failures) for symbol, failures in moods.items()}
        self.asked: list[tuple[str, float]] = []
        self.durations: list[str] = []

    async def bars(self, contract: Contract, **words: Any) -> tuple[Bar, ...]:
        self.durations.append(words["duration"])
        self.asked.append((contract.symbol, asyncio.get_running_loop().time()))
        if moods := self.moods.get(contract.symbol):
            raise moods.pop(0)
        return await super().bars(contract, **words)


def too_fast() -> DataRefused:
    return DataRefused("bars failed: 162 pacing violation", is_pacing=True)


async def fetched(
    trader: Trader, folder: Path, *symbols: str, pace: Pace | None = None, sessions: int = 61
) -> Fetched:
    fetch = PriceFetch(trader, PriceFiles(folder), pace=pace)
    return await fetch.fetch(symbols or SYMBOLS, sessions=sessions)


async def test_prices_are_those_of_completed_sessions(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        told: list[Progress] = []
        fetch = PriceFetch(trader, PriceFiles(tmp_path), pace=None, tell=told.append)
        found = await fetch.fetch(SYMBOLS, sessions=61)
    assert [one.symbol for one in found.histories] == list(SYMBOLS)
    assert (found.left_out, found.asked) == ({}, 3)
    apple = found.histories[0]
    assert apple.bars[-1].day == date(2026, 11, 19)  # the session of the 20th is under way
    assert len(apple.bars) >= 61
    assert apple.industry == "Technology"
    assert [(one.done, one.symbol) for one in told] == [
        (0, "AAPL"),
        (1, "MSFT"),
        (2, "KO"),
        (3, ""),
    ]


async def test_correlation_cache_invalidation(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        first = await fetched(trader, tmp_path)
        again = await fetched(trader, tmp_path)
        assert (again.asked, again.histories) == (0, first.histories)
        assert (await fetched(trader, tmp_path, *SYMBOLS, "XOM")).asked == 1
        # A longer lookback, or one more session completed, and all is asked for again.
        assert (await fetched(trader, tmp_path, sessions=101)).asked == 3
        assert (await fetched(trader, tmp_path, sessions=61)).asked == 0
        floor.clock.advance(3600 * 6)  # 16:00 in New York: late prints may still come
        assert (await fetched(trader, tmp_path)).asked == 0
        floor.clock.advance(900)
        later = await fetched(trader, tmp_path)
        assert later.asked == 3
        assert later.histories[0].bars[-1].day == date(2026, 11, 20)
        floor.clock.advance(3600 * 24 * 2)  # Sunday
        assert (await fetched(trader, tmp_path)).asked == 0
        # The review takes the newest matrix that was stored, and does without one that is old.
        watch = CorrelationWatch(
            trader.outlook.book, CorrelationFile(tmp_path), SectorsFile(tmp_path)
        )
        watch.look()
        assert standing(trader.outlook.view()).basis is Basis.ONE
        matrix = await computed(later, lookback=60, now=floor.clock.now())
        CorrelationFile(tmp_path).write(matrix, {"KO": "Beverages"})
        watch.look()
        view = trader.outlook.view()
        assert view.correlations == matrix
        assert view.sectors["KO"] == "Beverages"
        assert standing(view).basis is Basis.MATRIX
        floor.clock.advance(3600 * 24 * 5 + 1)
        assert standing(trader.outlook.view()).basis is Basis.ONE


async def test_what_cannot_be_had_is_left_out_with_the_reason(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        found = await fetched(trader, tmp_path, "NOSUCH", "AAPL", "NOPE", "TWIN")
    assert [one.symbol for one in found.histories] == ["AAPL"]
    assert set(found.left_out) == {"NOSUCH", "NOPE", "TWIN"}
    assert "names no contract" in found.left_out["NOSUCH"]
    assert "2 contracts" in found.left_out["TWIN"]
    matrix = await computed(found, lookback=60, now=START)
    assert matrix.left_out == found.left_out


async def test_an_option_is_no_share(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        option = next(i for i in floor.exchange.universe if i.sec_type == "OPT")
        found = await fetched(trader, tmp_path, option.local_symbol)
    assert "no share" in found.left_out[option.local_symbol]


async def test_a_share_without_history_is_left_out(tmp_path: Path) -> None:
    class Empty(SimulatedMarketData):
        async def bars(self, contract: Contract, **words: Any) -> tuple[Bar, ...]:
            return ()

    floor = Floor()
    async with floor.trader() as trader:
        trader.market = Empty(floor.exchange, clock=floor.clock)
        found = await fetched(trader, tmp_path, "AAPL")
    assert found.left_out == {"AAPL": "the broker has no daily prices of AAPL"}


def test_requests_keep_their_pace(tmp_path: Path) -> None:
    async def story() -> list[float]:
        floor = Floor()
        loop = asyncio.get_running_loop()
        async with floor.trader() as trader:
            market = trader.market = Moody(floor)
            names = ("AAPL", "MSFT", "KO", "XOM", "JPM")
            await fetched(trader, tmp_path, *names, pace=Pace(2, 60.0, monotonic=loop.time))
            return [round(at) for _, at in market.asked]

    assert virtually(story()) == [0, 0, 60, 60, 120]


def test_too_fast_is_waited_out(tmp_path: Path) -> None:
    async def story() -> tuple[list[tuple[str, int]], Fetched, list[float]]:
        floor, waits = Floor(), []
        async with floor.trader() as trader:
            market = trader.market = Moody(floor, MSFT=[too_fast(), too_fast()])
            fetch = PriceFetch(
                trader, PriceFiles(tmp_path), pace=None, tell=lambda one: waits.append(one.waits)
            )
            found = await fetch.fetch(SYMBOLS, sessions=61)
        return [(symbol, round(at)) for symbol, at in market.asked], found, waits

    asked, found, waits = virtually(story())
    assert asked == [("AAPL", 0), ("MSFT", 0), ("MSFT", 15), ("MSFT", 45), ("KO", 45)]
    assert found.left_out == {}
    assert [one for one in waits if one] == [15.0, 30.0]


def test_too_fast_for_ever_is_given_up(tmp_path: Path) -> None:
    async def story() -> Fetched:
        floor = Floor()
        async with floor.trader() as trader:
            trader.market = Moody(floor, MSFT=[too_fast() for _ in range(9)])
            return await fetched(trader, tmp_path)

    found = virtually(story())
    assert found.left_out == {"MSFT": "bars failed: 162 pacing violation"}
    assert found.asked == 2 + 6


async def test_one_that_does_not_answer_is_left_out(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        silence = BrokerUnavailable("the gateway did not finish its answer")
        trader.market = Moody(floor, MSFT=[silence])
        found = await fetched(trader, tmp_path)
    assert found.left_out == {"MSFT": silence.message}
    assert [one.symbol for one in found.histories] == ["AAPL", "KO"]


async def test_three_that_do_not_answer_end_the_run(tmp_path: Path) -> None:
    floor = Floor()
    silence = [BrokerUnavailable("no answer") for _ in range(3)]
    async with floor.trader() as trader:
        trader.market = Moody(floor, MSFT=silence[:1], KO=silence[1:2], XOM=silence[2:])
        with pytest.raises(BrokerUnavailable, match="no answer; 1 of 5 symbols are done, and kept"):
            await fetched(trader, tmp_path, *SYMBOLS, "XOM", "JPM")


async def test_a_lost_link_ends_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        market = trader.market = Moody(floor, MSFT=[BrokerUnavailable("the link is down")])
        trader.bus.publish(DisconnectEvent(at=START, epoch=1, reason="gone"))
        with pytest.raises(BrokerUnavailable, match="1 of 3 symbols are done, and kept"):
            await fetched(trader, tmp_path)
    async with floor.trader() as trader:
        market = trader.market = Moody(floor)
        found = await fetched(trader, tmp_path)
    assert [symbol for symbol, _ in market.asked] == ["MSFT", "KO"]
    assert len(found.histories) == 3


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-20T15:00", "2026-11-19"),  # in the session of Friday
        ("2026-11-20T21:14", "2026-11-19"),
        ("2026-11-20T21:15", "2026-11-20"),
        ("2026-11-21T15:00", "2026-11-20"),  # Saturday
        ("2026-11-23T02:00", "2026-11-20"),  # Sunday evening in New York
        ("2026-11-23T14:00", "2026-11-20"),  # Monday before the opening
    ],
)
def test_the_last_completed_day(now: str, expected: str) -> None:
    friday = Session(
        datetime(2026, 11, 20, 14, 30, tzinfo=UTC), datetime(2026, 11, 20, 21, tzinfo=UTC)
    )
    details = ContractDetails(contract=Contract(symbol="AAPL"), liquid_sessions=(friday,))
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert last_completed(details, moment) == date.fromisoformat(expected)
    odd = msgspec.structs.replace(
        details, time_zone="EST (Eastern Standard Time)", liquid_sessions=()
    )
    assert last_completed(odd, moment) <= moment.date() - timedelta(days=1)


@pytest.mark.parametrize("sessions", [61, 360, 1001])
async def test_so_far_back_is_asked_that_there_are_enough_whatever_tws_counts(
    sessions: int, tmp_path: Path
) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.market = market = Moody(floor)
        await fetched(trader, tmp_path, "AAPL", sessions=sessions)
    assert market.durations == [duration_for(sessions + 5, timedelta(days=1))]


def test_as_many_closes_as_returns_and_one() -> None:
    assert [needed(n) for n in (20, 60)] == [21, 61]


def test_a_pace_is_so_many_within_so_long() -> None:
    clock = ManualClock(START)
    pace = Pace(2, 10.0, monotonic=clock.monotonic)
    for _ in range(2):
        assert pace.delay() == 0
        pace.sent()
        clock.advance(1)
    assert pace.delay() == 8
    clock.advance(9)
    assert pace.delay() == 0


async def test_what_is_held_works_or_is_named_is_wanted() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        assert wanted_symbols(trader) == []
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert wanted_symbols(trader, ["MSFT"], ("KO", "AAPL")) == ["AAPL", "KO", "MSFT"]
