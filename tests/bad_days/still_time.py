"""Time that stands still until it is told to pass, for everybody in one process."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibkr_trader.sim.clock import ExchangeClock


class StillTime:
    """The event loop's time and the desk's: it passes when it is told to, and not before."""

    def __init__(self, exchange_clock: ExchangeClock) -> None:
        self._exchange_clock = exchange_clock
        self.passed = 1000.0
        self.skew = timedelta(0)  # how wrong the desk's clock is

    def now(self) -> datetime:
        """Return the exchange's time: under the simulator it is everybody's."""
        return self._exchange_clock.now() + self.skew

    def monotonic(self) -> float:
        """Return the event loop's time."""
        return self.passed
