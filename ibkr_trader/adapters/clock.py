"""The time: the one place that asks the machine for it.

Three clocks meet the `Clock` port: the machine's, the gateway's (the machine's plus what
the gateway was found to be ahead), and one that stands still until it is told to move.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        return time.monotonic()


class OffsetClock:
    """The gateway's time: the machine's, plus an offset that the connection sets.

    Under the simulator hours, expiries and displayed times follow the gateway, which has a
    clock of its own. Ages and timeouts stay with the machine's monotonic clock.
    """

    def __init__(self, base: SystemClock | ManualClock | None = None) -> None:
        self._base = base or SystemClock()
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Return the gateway's present moment, aware and in UTC."""
        return self._base.now() + self.offset

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps, whatever the offset does."""
        return self._base.monotonic()

    def set_time(self, gateway_now: datetime) -> None:
        """Take over the time that the gateway has just stated."""
        self.offset = gateway_now - self._base.now()


class ManualClock:
    """A clock that moves only when told to: for tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start.astimezone(UTC)
        self._elapsed = timedelta(0)

    def now(self) -> datetime:
        """Return the moment it was set to, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was advanced by; `jump` does not count."""
        return self._elapsed.total_seconds()

    def advance(self, seconds: float) -> None:
        """Let time pass: both readings move on.

        Raises:
            ValueError: If `seconds` is negative; time passes one way.
        """
        if seconds < 0:
            message = "time passes one way; use jump() to set the clock"
            raise ValueError(message)
        self._now += timedelta(seconds=seconds)
        self._elapsed += timedelta(seconds=seconds)

    def jump(self, to: datetime) -> None:
        """Set the wall clock, as a correction of the machine's time would."""
        self._now = to.astimezone(UTC)
