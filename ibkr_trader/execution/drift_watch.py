"""Notices that broker and ledger disagree about a position, and has it looked into.

TWS tells a client the executions of its own orders only. What a person trades by hand, or
another program, shows as a position report that differs from our ledger. A report may also
overtake an execution that is on its way, so the difference must outlive a short pause; then
the broker is asked for everything, and its executions explain it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.events import PositionReportEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.portfolio.state import PortfolioState

PAUSE = 0.2  # seconds: an execution of ours that was overtaken is here by then
AGAIN = 5.0  # seconds until a difference that nothing explained is looked into once more


class DriftWatch:
    """Asks the broker once a position report stays unexplained."""

    def __init__(
        self,
        *,
        bus: EventBus,
        portfolio: Callable[[], PortfolioState],
        look_up: Callable[[], Awaitable[object]],
    ) -> None:
        self._portfolio = portfolio
        self._look_up = look_up
        self._reported = asyncio.Event()
        bus.subscribe(PositionReportEvent, lambda _: self._reported.set())

    async def work(self) -> None:
        """Look into what stays different; never returns."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            await asyncio.sleep(PAUSE)
            while self._portfolio().drift:
                try:
                    await self._look_up()
                except BrokerUnavailable:
                    break  # the next connection asks for everything by itself
                if self._portfolio().drift:
                    await asyncio.sleep(AGAIN)
