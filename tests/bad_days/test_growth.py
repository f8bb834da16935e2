"""1.G09: a process that runs for weeks holds no more in the last of them than in the first."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from contextlib import contextmanager
from datetime import timedelta
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ibkr_trader
from ibkr_trader.execution.checkpoints import Checkpoints
from tests.bad_days.requests import bracket
from tests.bad_days.stage import AAPL, START, Day

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = Path(ibkr_trader.__file__).parent
WEEK = timedelta(days=7)
WARM, WEEKS, BRACKETS = 2, 3, 6  # brackets a week; after the fifth Friday comes Christmas
# Seen: 8 kB. Where intake, roster or picture forget nothing, it is 31 and more.
GROWTH = 20_000


async def trade(day: Day, price: int) -> None:
    """Enter with a bracket and leave at its target."""
    await day.quote(f"{price}.00", f"{price}.02", size=10_000)
    await day.accepted(bracket(price % 9 + 1, stop=f"{price - 3}", target=f"{price + 3}"))
    await day.until(lambda: AAPL in day.trader.portfolio.positions)
    await day.quote(f"{price + 4}.00", f"{price + 4}.02", size=10_000)
    await day.until(lambda: not day.trader.portfolio.orders)


def _caches() -> Iterator[_lru_cache_wrapper[object]]:
    ours = [module for name, module in sys.modules.items() if name.startswith("ibkr_trader.")]
    for module in ours:
        yield from (one for one in vars(module).values() if isinstance(one, _lru_cache_wrapper))


def held(day: Day) -> int:
    """The bytes that were taken in the trader's own code and that somebody still needs."""
    day.heard.clear()  # what the test itself remembers
    day.wire.entries.clear()
    for cached in _caches():  # they are bounded, and fill up for longer than this lasts
        cached.cache_clear()
    gc.collect()
    # By file first: a filter of its own would look at each of many thousand traces.
    found = {one.traceback[0].filename: one.size for one in _by_file()}
    ours = (Path(name) for name in found if name.startswith(f"{_OURS}/"))
    return sum(found[str(path)] for path in ours if not path.is_relative_to(_OURS / "sim"))


def _by_file() -> list[tracemalloc.Statistic]:
    return tracemalloc.take_snapshot().statistics("filename")


@contextmanager
def traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is a desk: the adapter remembers thousands of orders, and of executions."""
    monkeypatch.setattr("ibkr_trader.adapters.ibkr.roster._REMEMBERED", 10)
    monkeypatch.setattr("ibkr_trader.adapters.ibkr.order_news._CHARGED_LIMIT", 5)


async def test_f_g09_weeks_of_trading_leave_nothing_behind(day: Day) -> None:
    seen = []
    points = Checkpoints(day.trader)
    with traced():
        for week in range(WARM + WEEKS):
            for number in range(BRACKETS):
                await trade(day, 150 + 8 * number)
            await day.wait_until(START + (week + 1) * WEEK, step=86_400)
            await day.trader.recovery.synchronize()
            points.mark()
            if week >= WARM:
                seen.append(held(day))
    assert max(seen) - seen[0] < GROWTH, seen
