"""`kill -9` at every checkpoint of a bracket's way out, then the next command.

Judged by what the gateway holds, asked by another client: never a second order, never half
a bracket left to trade, and nothing that happened is forgotten.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader import open_desk
from ibkr_trader.adapters.clock import OffsetClock
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.config import load
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.execution import recovery
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio import reconciliation
from ibkr_trader.sim.gateway.background import status, stop
from tests.house.sources import ROOT
from tests.processes import warm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ibkr_trader.config import Settings
    from ibkr_trader.portfolio.snapshot import BrokerSnapshot
    from ibkr_trader.portfolio.state import PortfolioState

# Before the last frame is written nothing may trade; from then on everything must.
UNSENT = ["CP1", "CP2", "CP4", "CP5", "CP6"]
SENT = ["CP7", "CP8", "CP9", "CP11"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    # A local gateway has no second thread that might still hold an order.
    for module in (recovery, reconciliation):
        monkeypatch.setattr(module, "GRACE", timedelta(milliseconds=50))
    found = load({"profile": "sim", "data_dir": str(tmp_path / "data")})
    yield found
    stop(found.place.folder / "gateway")


def die_at(checkpoint: str, settings: Settings) -> None:
    """Place a bracket in a process of its own that is killed at `checkpoint`."""
    child = warm.run(
        [
            sys.executable,
            "-m",
            "tests.scenarios.crash_child",
            str(settings.data_dir),
            checkpoint,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert child.stdout.splitlines()[-1] == checkpoint


async def next_command(settings: Settings) -> PortfolioState:
    """Open the desk as any command does, wait until all is accounted for, and leave."""
    async with open_desk(settings=settings) as desk:
        await desk.trader.recovery.settled(timeout=10)
        return desk.trader.portfolio


async def at_the_gateway(settings: Settings) -> BrokerSnapshot:
    """Ask the gateway what it holds, as somebody else would."""
    gateway = status(settings.place.folder / "gateway")
    assert gateway is not None
    clock = OffsetClock()
    connection = IBKRConnection(LinkSettings(port=gateway.port, client_id=9), clock=clock)
    broker = IBKRBroker(connection, install="judge")
    await connection.open()
    async with alongside(connection.run()):
        truth = await broker.snapshot()
        connection.close()
    return truth


@pytest.mark.parametrize("checkpoint", UNSENT)
async def test_a_bracket_that_was_not_sent_whole_never_trades(
    settings: Settings, checkpoint: str
) -> None:
    await asyncio.to_thread(die_at, checkpoint, settings)
    portfolio = await next_command(settings)
    truth = await at_the_gateway(settings)
    assert (truth.open_orders, truth.positions, truth.fills) == ((), (), ())
    assert not portfolio.orders
    ends = {order.status for order in portfolio.closed.values()}
    assert ends <= {OrderStatus.NOT_SENT, OrderStatus.CANCELLED}


@pytest.mark.parametrize("checkpoint", SENT)
async def test_a_bracket_that_was_sent_is_adopted_once_and_whole(
    settings: Settings, checkpoint: str
) -> None:
    await asyncio.to_thread(die_at, checkpoint, settings)
    portfolio = await next_command(settings)
    truth = await at_the_gateway(settings)
    assert [position.quantity for position in truth.positions] == [10]
    assert sum(fill.quantity for fill in truth.fills) == 10
    exits = sorted((str(o.spec.order_type), int(o.spec.quantity)) for o in truth.open_orders)
    assert exits == [("LIMIT", 10), ("STOP", 10)]
    # Our own picture is the broker's.
    assert {o.spec.role for o in portfolio.orders.values()} == {OrderRole.STOP, OrderRole.TARGET}
    assert [p.quantity for p in portfolio.positions.values()] == [Decimal(10)]
    entry = next(o for o in portfolio.closed.values() if o.spec.role is OrderRole.ENTRY)
    assert (entry.status, int(entry.filled)) == (OrderStatus.FILLED, 10)


@pytest.mark.parametrize("checkpoint", ["CP2", "CP6", "CP8"])
async def test_recovery_twice_is_recovery_once(settings: Settings, checkpoint: str) -> None:
    await asyncio.to_thread(die_at, checkpoint, settings)
    first = await next_command(settings)
    before = await at_the_gateway(settings)
    second = await next_command(settings)
    after = await at_the_gateway(settings)
    assert [o.perm_id for o in before.open_orders] == [o.perm_id for o in after.open_orders]
    assert before.fills == after.fills
    assert set(first.orders) == set(second.orders)
    assert {c: p.quantity for c, p in first.positions.items()} == {
        c: p.quantity for c, p in second.positions.items()
    }
