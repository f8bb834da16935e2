"""Decides when the broker is asked for everything, though no connection is new.

TWS tells a client the executions of its own orders only. What a person trades by hand, or
another program, shows as a position report that differs from our ledger. A report may also
overtake an execution that is on its way, so the difference must outlive a short pause; then
the broker is asked, and its executions explain it. So it is where an order is called filled, and
neither execution nor position tells of it. And where nothing is heard at all, it is
asked now and then: its news may have stopped unnoticed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.events import PositionReportEvent, SyncEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.outlook import Outlook
    from ibkr_trader.execution.ports import Clock

PAUSE = 0.2  # seconds: an execution of ours that was overtaken is here by then
AGAIN = 5.0  # seconds until a difference that nothing explained is looked into once more
ROUND = 300.0  # seconds between two questions when nothing differs
_BEAT = 1.0  # seconds between two looks at the clock


class DriftWatch:
    """Asks the broker where a position report stays unexplained, and once in a while."""

    def __init__(
        self,
        *,
        bus: EventBus,
        clock: Clock,
        outlook: Outlook,
        look_up: Callable[[], Awaitable[object]],
    ) -> None:
        self._clock = clock
        self._outlook = outlook
        self._look_up = look_up
        self._reported = asyncio.Event()
        self._told_at = clock.monotonic()  # when the broker last told everything
        self._asked_at: float | None = None  # when it was last asked about what differs now
        bus.subscribe(PositionReportEvent, self._hear)
        bus.subscribe(SyncEvent, self._told)

    async def work(self) -> None:
        """Look into what stays different, or was not heard of for long; never returns."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BEAT):
                    await self._reported.wait()
                    self._reported.clear()
            if self._is_due():
                await asyncio.sleep(PAUSE)
                await self.look()

    async def look(self) -> None:
        """Ask the broker, if something still differs or it was not asked for long."""
        if not self._is_due():
            return
        self._asked_at = self._told_at = self._clock.monotonic()
        with contextlib.suppress(BrokerUnavailable):  # it is asked again, here or by recovery
            await self._look_up()

    async def freshen(self, age: float) -> None:
        """Ask the broker, if it has not told everything within `age` seconds.

        TWS does not tell of orders that others place: who is about to look must ask.
        """
        if self._outlook.is_synced and self._clock.monotonic() - self._told_at > age:
            self._told_at = self._clock.monotonic()
            with contextlib.suppress(BrokerUnavailable):
                await self._look_up()

    def _is_due(self) -> bool:
        if not self._outlook.is_synced:
            return False  # recovery asks for everything by itself
        now = self._clock.monotonic()
        if self._is_open:
            return self._asked_at is None or now - self._asked_at >= AGAIN
        return now - self._told_at >= ROUND

    @property
    def _is_open(self) -> bool:
        portfolio = self._outlook.portfolio
        return bool(portfolio.drift or portfolio.unheard)

    def _hear(self, _: PositionReportEvent) -> None:
        self._reported.set()
        self._forget()

    def _told(self, _: SyncEvent) -> None:
        self._told_at = self._clock.monotonic()
        self._forget()

    def _forget(self) -> None:
        if not self._is_open:
            self._asked_at = None  # what differs next is another matter
