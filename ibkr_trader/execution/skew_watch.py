"""How far this machine's clock is from the broker's, also between two looks at the latter.

The broker states its time every few seconds. In between, a wall clock that moves otherwise
than the monotonic one has been set, or the machine has slept: that counts at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibkr_trader.execution.ports import Clock


def in_step() -> timedelta:
    """Return the skew of a desk whose clock is the broker's own, as the simulator's is: none."""
    return timedelta(0)


class SkewWatch:
    """The last measurement, and what the clock has done since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._skew: timedelta | None = None
        self._wall = clock.now()
        self._since = clock.monotonic()

    def measure(self, offset: timedelta | None) -> None:
        """Take note of how far the broker's clock is ahead of ours; None is not known."""
        self._wall, self._since = self._clock.now(), self._clock.monotonic()
        self._skew = None if offset is None else -offset

    def skew(self) -> timedelta | None:
        """Return how far our clock is ahead of the broker's now; None if nobody has said."""
        if self._skew is None:
            return None
        passed = timedelta(seconds=self._clock.monotonic() - self._since)
        return self._skew + (self._clock.now() - self._wall - passed)
