"""1.A: a TWS whose trade log shows a week tells the executions of all its days at each look."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.core.enums import TimeInForce, TradingState
from ibkr_trader.core.events import CommissionEvent, DriftEvent, ErrorEvent, FillEvent
from ibkr_trader.execution.checkpoints import Checkpoints
from tests.bad_days.bad_lines import inject_now
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/New_York"))


def told(day: Day) -> list[str]:
    """The executions that are on record, as often as they are."""
    return sorted(event.fill.fill_id for event in day.news(FillEvent))


async def enter(day: Day) -> list[str]:
    """Have a bracket entered on a Friday, and tell what executed."""
    await day.accepted(bracket())
    await day.until(lambda: AAPL in day.trader.portfolio.positions)
    return told(day)


def assert_known(day: Day, known: list[str]) -> None:
    assert told(day) == known, "each execution is on record once"
    assert not day.news(DriftEvent), "and nothing seems to be amiss"
    assert day.trader.outlook.trading_state is TradingState.ACTIVE
    assert_sound(day, AAPL)


async def test_a_start_after_days_counts_no_execution_twice(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        inject_now(day, "trade-log 7")
        async with day.open_desk():
            known = await enter(day)
        await day.wait_until(MONDAY, step=7_200)
        async with day.open_desk():
            assert list(day.exchange.orders.executions()) == []
            assert len(list(day.exchange.orders.trade_log())) == len(known)
            await day.wait(10)
            assert_known(day, known)
        async with day.open_desk():  # by a journal in which all was told today
            assert_known(day, known)


async def test_a_desk_that_runs_for_days_counts_no_execution_twice(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        inject_now(day, "trade-log 7")
        async with day.open_desk():
            known = await enter(day)
            await day.wait_until(MONDAY, step=7_200)
            for _ in range(2):
                Checkpoints(day.trader).mark()  # what is old is let go of
                await day.trader.recovery.synchronize()
                assert_known(day, known)
            assert not day.trader.portfolio.fills


async def test_what_executed_while_nobody_looked_counts_once(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        inject_now(day, "trade-log 7")
        async with day.open_desk():
            await day.accepted(
                msgspec.structs.replace(single(limit="149"), time_in_force=TimeInForce.GTC)
            )
        await day.trade("single", 10)
        await day.wait_until(MONDAY, step=7_200)
        for _ in range(2):
            async with day.open_desk():
                await day.wait(10)
                assert len(told(day)) == 1
                assert not day.news(DriftEvent)
                assert day.trader.portfolio.positions[AAPL].quantity == 10


@pytest.mark.parametrize("revision", [0, 1])
async def test_one_of_days_ago_that_comes_again_sizes_no_exit(
    revision: int, tmp_path: Path
) -> None:
    """A correction of Friday's, on Monday, or the same again: it is told, and is no more shares."""
    async with a_day(tmp_path) as day, day.open_desk():
        known = await enter(day)
        (fill,) = day.news(FillEvent)
        await day.wait_until(MONDAY, step=7_200)
        for _ in range(2):
            Checkpoints(day.trader).mark()
            await day.trader.recovery.synchronize()
        again = msgspec.structs.replace(fill.fill, revision=fill.fill.revision + revision)
        event = msgspec.structs.replace(fill, at=day.clock.now(), fill=again)
        costs = len(day.news(CommissionEvent))
        cost = CommissionEvent(
            at=event.at, order_id=fill.order_id, fill_id=again.fill_id, commission=Decimal(1)
        )
        day.trader.intake.admit([event, cost])
        await day.wait(60)
        assert_known(day, known)
        assert len(day.news(CommissionEvent)) == costs
        (trouble,) = day.news(ErrorEvent)
        assert "does not count once more" in trouble.message
        await day.quote("144.00", "144.02")
        await day.wait(5)
        assert day.ledger.held(AAPL) == 0, "the stop is for what is held"
