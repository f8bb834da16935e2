"""Counts what happens, beside the order path.

An order is announced before it is sent, so whoever hears of it stands in its way. Hearing is
therefore laying aside; counting comes a moment later, a few events at a time. What is more than
the limit is not counted, and that is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.meters import HEARD, Meters

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader

logger = logging.getLogger(__name__)
_SLICE = 20  # events counted at a time: about a millisecond of the loop's
_MOST_HEARD = 5_000


class Metering:
    """Keeps the meters of one trader; whoever makes it runs `work`.

    Attributes:
        missed: What was not counted, because too much happened at once.
    """

    def __init__(self, trader: Trader) -> None:
        self._heard: deque[ev.BaseEvent | float] = deque()
        self._wake = asyncio.Event()
        self.missed = 0
        # Nothing happens between these lines: what the journal has is not heard of again.
        self._meters = Meters.begun(trader.journal.resume())
        for kind in HEARD:
            trader.bus.subscribe(kind, self._hear)
        trader.record.timed(trader.clock.monotonic, self._hear)

    async def work(self) -> None:
        """Count what was heard; never returns."""
        while True:
            await self._wake.wait()
            await self.meters()
            if self._heard:
                self._wake.set()

    async def meters(self) -> Meters:
        """Return the meters, with all that was heard by now."""
        self._wake.clear()
        for _ in range(_MOST_HEARD // _SLICE + 1):  # what comes meanwhile may wait for the next
            if not self._heard:
                break
            self._count(_SLICE)
            await asyncio.sleep(0)
        return self._meters

    def _hear(self, what: ev.BaseEvent | float) -> None:
        """Lay an event aside, or the seconds that a record took."""
        if len(self._heard) >= _MOST_HEARD:
            self._heard.popleft()
            self.missed += 1
        self._heard.append(what)
        self._wake.set()

    def _count(self, most: int) -> None:
        while self._heard and most:
            most -= 1
            what = self._heard.popleft()
            try:
                if isinstance(what, float):
                    self._meters = self._meters.appended(Decimal(repr(what)))
                else:
                    self._meters = self._meters.after(what)
            except Exception:  # what cannot be counted is no reason to stop a trader
                logger.exception("a %s could not be counted", type(what).__name__)
                self.missed += 1
