from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Outcome, Side
from tests.execution.parts import AAPL, INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor


async def test_a_signal_becomes_a_bracket_on_the_right_sides() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        reply = await desk.signals.take(floor.claim())
        trader = desk.rules._trader
        assert (reply.outcome, reply.code) == (Outcome.ACTED, "")
        floor.move(trader, "149.99", "150.01")
        await trader.until(lambda now: now.positions.get(AAPL), timeout=5)
        held = trader.portfolio.positions[AAPL]
        assert held.quantity == 10
        exits = {o.spec.order_type: o.spec for o in trader.portfolio.orders.values()}
        assert exits[OrderType.STOP].side is Side.SELL
        assert exits[OrderType.STOP].stop_price == Decimal("145.50")
        assert exits[OrderType.LIMIT].limit_price == Decimal("163.49")
