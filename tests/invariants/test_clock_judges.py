"""S28, S29 and S33: each judge catches the bugs planted for it."""

from __future__ import annotations

import asyncio
import time
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters import calendar
from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.app import mind_clock
from ibkr_trader.core.models import Contract, ContractDetails
from ibkr_trader.core.trading_day import TradingDay
from ibkr_trader.execution import group_runner
from ibkr_trader.execution.day_end import DayEndPlan
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders import managed_trails
from tests.bad_days.bad_lines import line_of
from tests.bad_days.requests import single, trail
from tests.bad_days.stage import a_day
from tests.invariants import virtual_time
from tests.invariants.clock_judges import (
    NEW_YORK,
    Firing,
    s28_same_requests,
    s29_day_ends,
    s33_same_day,
)
from tests.invariants.transcript import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ibkr_trader.sim.gateway.wire import WireLog

    Patch = pytest.MonkeyPatch

JUMPS = tuple(timedelta(hours=hours) for hours in (-24, -1, -1 / 3, 4, 24))
CLOSED = timedelta(hours=24)  # by such a clock, a Friday's market is closed
HOSTS = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
BEFORE = DayEndPlan().before
DETAILS = ContractDetails(contract=Contract(symbol="AAPL", con_id=265598), time_zone="US/Eastern")


# -- S28: a day under a clock that jumps --------------------------------------------------------


async def trailed(folder: Path, jump: timedelta) -> WireLog:
    """Let a managed stop follow a rise, and set the wall clock in the middle of it."""
    folder.mkdir()
    async with a_day(folder) as day, day.open_desk() as desk:
        mind_clock(desk.trader, line_of(day))  # as a desk does whose clock is the machine's
        await day.desk.submit_order(single(), wait=Wait.FILLED)
        await day.accepted(trail(is_managed=True))
        await day.rise("150.50", "151.50", steps=3)
        day.time.skew = jump
        await day.rise("152", "154", steps=4)
        await day.wait(3)
        return day.wire


def stopped_by_the_clock(patch: Patch) -> None:
    """What was asked for later than now counts as asked for just now."""
    patch.setattr(
        managed_trails, "_within", lambda since, at, span: since is not None and at - since < span
    )


def closed_by_the_wall(patch: Patch) -> None:
    """Sessions are judged by the wall clock."""
    patch.setattr(group_runner, "exchange_time", lambda at, _: at)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> WireLog:
    """What goes over the wire on that day if nobody sets the clock."""
    folder = tmp_path_factory.mktemp("steady") / "day"
    with asyncio.Runner() as runner:
        return runner.run(trailed(folder, timedelta(0)))


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_s28_a_jump_of_the_wall_clock_changes_no_request(
    jump: timedelta, steady: WireLog, tmp_path: Path
) -> None:
    assert len(steady.sent("modifyOrder")) >= 3
    assert s28_same_requests(steady, await trailed(tmp_path / "set", jump)) == []


@pytest.mark.parametrize(
    ("bug", "jump"), [(stopped_by_the_clock, timedelta(minutes=-20)), (closed_by_the_wall, CLOSED)]
)
async def test_s28_catches_what_the_wall_clock_keeps_back(
    bug: Callable[[Patch], None],
    jump: timedelta,
    steady: WireLog,
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    bug(monkeypatch)
    assert s28_same_requests(steady, await trailed(tmp_path / "set", jump))


# -- S29: every day of two years, on hosts of four zones, with cron firing one to three times ----


def firings(times: int) -> Iterator[Firing]:
    """Have cron fire around both closes of every day of 2026 and 2027."""
    plan, day = DayEndPlan(), date(2026, 1, 1)
    while day.year < 2028:
        announced = ExchangeCalendar().announced(DETAILS, day)
        assert announced is not None
        trading = TradingDay(date=day, session=announced.session)
        for hour, minute in ((12, 57), (13, 2), (15, 57), (16, 2))[: times + 1]:
            for repeated in range(times):
                at = datetime(day.year, day.month, day.day, hour, minute, repeated, tzinfo=NEW_YORK)
                yield Firing(day, at, plan.due(trading, at))
        day += timedelta(days=1)


def winter_for_ever(patch: Patch) -> None:
    """New York is five hours behind, all year round."""
    patch.setattr(calendar, "_NEW_YORK", timezone(timedelta(hours=-5)))


def no_half_days(patch: Patch) -> None:
    """Every day that trades ends at four."""
    patch.setattr(calendar, "_CLOSES_EARLY", calendar._CLOSES)


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("host", HOSTS)
def test_s29_every_day_ends_by_its_own_close(host: str, times: int, monkeypatch: Patch) -> None:
    monkeypatch.setenv("TZ", host)
    time.tzset()
    try:
        assert s29_day_ends(firings(times), before=BEFORE) == []
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


@pytest.mark.parametrize("bug", [winter_for_ever, no_half_days])
def test_s29_catches_a_wrong_close(bug: object, monkeypatch: Patch) -> None:
    assert callable(bug)
    bug(monkeypatch)
    assert s29_day_ends(firings(3), before=BEFORE)


# -- S33: a seed is a day -----------------------------------------------------------------------


def machine_stamps(patch: Patch) -> None:
    """Records are stamped by the machine's clock."""
    now = virtual_time.LoopClock.now

    def stamped(self: virtual_time.LoopClock) -> datetime:
        return now(self) + timedelta(microseconds=time.monotonic_ns() % 997)

    patch.setattr(virtual_time.LoopClock, "now", stamped)


def test_s33_a_seed_lived_twice_is_one_day() -> None:
    assert s33_same_day([line(7), line(7)]) == []


def test_s33_catches_a_clock_of_the_machines(monkeypatch: Patch) -> None:
    machine_stamps(monkeypatch)
    assert s33_same_day([line(7), line(7)])
