"""Time at a sandboxed gateway passes when it is told to, and not before."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from ibkr_trader.adapters.ibkr.connection import LinkSettings
from ibkr_trader.drills.drill import MORNING
from ibkr_trader.drills.still_desk import DeskTerms, still_desk
from ibkr_trader.drills.still_gateway import StillGateway
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.orders.cover_orders import CoverRules
from ibkr_trader.sim.exchange import ExchangeConfig


async def test_an_hour_without_anybody_is_an_hour(tmp_path: Path) -> None:
    gateway = StillGateway(ExchangeConfig(opened_at=MORNING))
    spans: list[float] = []
    gateway.on_instant = spans.append
    async with gateway.serving():
        terms = DeskTerms(
            journal=tmp_path / "journal.db",
            risk=RiskSettings(),
            protection=CoverRules(),
            link=LinkSettings(port=gateway.server.port),
            patience=10,
            equip=lambda _: None,
        )
        async with still_desk(gateway, terms):
            await gateway.quiet()
        # A gateway of its own would jump to the next morning for whoever comes then.
        await gateway.wait(50 * 3600.0, step=5 * 3600.0)
        async with still_desk(gateway, terms):
            await gateway.quiet()
            assert gateway.clock.now() == MORNING + timedelta(hours=50)
    assert spans == [5 * 3600.0] * 10


async def test_timers_heed_it_and_the_loop_has_its_own_again_afterwards() -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    gateway = StillGateway(ExchangeConfig(opened_at=MORNING))
    rung: list[float] = []
    async with gateway.serving():
        loop.call_later(30, lambda: rung.append(loop.time()))
        await gateway.wait(29)
        assert not rung
        await gateway.wait(1)
        assert rung == [1030.0]
    assert 0 <= loop.time() - before < 60
