"""Time that stands still until it is told to pass, for everybody in one process."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.sim.clock import ExchangeClock


class StillTime:
    """The event loop's time and the desk's: it passes when it is told to, and not before.

    Attributes:
        passed: The loop's time, in seconds.
        skew: How wrong the desk's clock is.
    """

    def __init__(self, exchange_clock: ExchangeClock) -> None:
        self._exchange_clock = exchange_clock
        self.passed = 1000.0
        self.skew = timedelta(0)

    def now(self) -> datetime:
        """Return the exchange's time: under the simulator it is everybody's."""
        return self._exchange_clock.now() + self.skew

    def monotonic(self) -> float:
        """Return the event loop's time."""
        return self.passed

    @contextmanager
    def rules_the_loop(self) -> Iterator[None]:
        """Give the running loop this time for the length of the block, so that timers heed it."""
        loop = vars(asyncio.get_running_loop())
        before = loop.get("time")
        loop["time"] = self.monotonic
        try:
            yield
        finally:
            if before is None:
                del loop["time"]
            else:
                loop["time"] = before
