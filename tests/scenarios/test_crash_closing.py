"""`kill -9` at every step of a closing, then any next command: flat, or protected again.

Judged by what the gateway holds, asked by another client: no orphan, no second close, and
nothing left without its stop.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader import open_desk
from ibkr_trader.config import load
from ibkr_trader.core.enums import OrderType
from ibkr_trader.execution import recovery
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.resetting import clear
from ibkr_trader.portfolio import reconciliation
from ibkr_trader.sim.gateway.background import start_background, stop
from tests.house.sources import ROOT
from tests.processes import warm
from tests.scenarios.crash_child import bracket
from tests.scenarios.test_crash import at_the_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ibkr_trader.config import Settings
    from ibkr_trader.portfolio.state import PortfolioState

MORNING = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, 10:00 in New York
EVENING = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
STEPS = [
    ("CP1", 1),  # on record, and nothing asked for yet
    ("CP8", 1),  # the cancel of the target is sent
    ("CP8", 2),  # the cancel of the stop is sent
    ("CP1", 3),  # the stop is gone, and nothing closes
    ("CP2", 3),  # the closing order is on record, and not sent
    ("CP8", 3),  # the closing order is sent
]


def start(settings: Settings, at: datetime) -> None:
    """Start the gateway, or start it again, with its clock at `at`."""
    folder = settings.place.folder / "gateway"
    stop(folder)
    folder.mkdir(parents=True, exist_ok=True)
    start_background(state_dir=folder, at=at)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    # A local gateway has no second thread that might still hold an order.
    for module in (recovery, reconciliation):
        monkeypatch.setattr(module, "GRACE", timedelta(milliseconds=50))
    found = load({"profile": "sim", "data_dir": str(tmp_path / "data")})
    start(found, MORNING)
    yield found
    stop(found.place.folder / "gateway")


async def hold_a_bracket(settings: Settings) -> None:
    async with open_desk(settings=settings) as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)


def die_at(checkpoint: str, nth: int, settings: Settings, *, act: str = "close") -> None:
    """Close, or reset, in a process of its own that is killed on the way."""
    child = warm.run(
        [sys.executable, "-m", "tests.scenarios.close_child",
         str(settings.data_dir), checkpoint, str(nth), act],
        cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert child.stdout.splitlines()[-1] == checkpoint


async def pass_by(settings: Settings) -> None:
    """Open the desk as any command does, and leave at once."""
    async with open_desk(settings=settings):
        pass


async def look(settings: Settings) -> PortfolioState:
    """Return how we see it, once nothing is under way any more."""
    async with open_desk(settings=settings) as desk:
        await desk.trader.until(lambda p: True if not p.closings else None, timeout=10)
        return desk.trader.portfolio


@pytest.mark.parametrize(("checkpoint", "nth"), STEPS)
async def test_a_closing_that_was_killed_is_ended_by_the_next_command(
    settings: Settings, checkpoint: str, nth: int
) -> None:
    await hold_a_bracket(settings)
    await asyncio.to_thread(die_at, checkpoint, nth, settings)
    await pass_by(settings)
    truth = await at_the_gateway(settings)
    portfolio = await look(settings)
    assert (truth.positions, truth.open_orders) == ((), ())
    assert sum(fill.quantity * fill.side.sign for fill in truth.fills) == 0
    assert sum(fill.quantity for fill in truth.fills) == 20
    assert (portfolio.positions, portfolio.orders, portfolio.closings) == ({}, {}, {})
    # What never left goes out under a new id, and only that.
    again = [o for o in portfolio.fills.values() if o.order_id.endswith("-close.2")]
    assert bool(again) == ((checkpoint, nth) == ("CP2", 3))


@pytest.mark.parametrize(("checkpoint", "nth"), STEPS[2:4])
async def test_a_reset_that_was_killed_before_its_close_is_ended_by_the_next_one(
    settings: Settings, checkpoint: str, nth: int
) -> None:
    await hold_a_bracket(settings)
    await asyncio.to_thread(die_at, checkpoint, nth, settings, act="reset")
    async with open_desk(settings=settings) as desk:
        assert desk.trader.closer.runs(), "it was on record before the stop went"
        done = await clear(desk.trader, timeout=10, tell=lambda _: None)
    truth = await at_the_gateway(settings)
    assert (done.left.is_nothing, done.troubles) == (True, ()), done
    assert (truth.positions, truth.open_orders) == ((), ())
    assert sum(fill.quantity for fill in truth.fills) == 20


@pytest.mark.parametrize("moment", [EVENING, MONDAY], ids=["market_closed", "next_day"])
async def test_a_closing_that_comes_too_late_puts_the_stop_back(
    settings: Settings, moment: datetime
) -> None:
    await hold_a_bracket(settings)
    await asyncio.to_thread(die_at, "CP1", 3, settings)
    await asyncio.to_thread(start, settings, moment)
    await pass_by(settings)
    truth = await at_the_gateway(settings)
    portfolio = await look(settings)
    assert [position.quantity for position in truth.positions] == [10]
    (order,) = truth.open_orders
    assert order.spec.order_type is OrderType.STOP
    assert (order.spec.stop_price, order.spec.quantity) == (Decimal(145), Decimal(10))
    assert not portfolio.closings
