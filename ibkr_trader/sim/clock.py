"""The exchange's own time: where it starts, how fast it runs, when it stands still."""

from collections.abc import Callable
from datetime import UTC, datetime, time

import msgspec

from ibkr_trader.sim.calendar import NEW_YORK, local_date, market_day, previous_trading_day


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a restart: the time reached, and the pace."""

    at: datetime
    speed: float = 1.0
    is_paused: bool = False


class ExchangeClock:
    """Turns the machine's time into the exchange's; `wall` is asked for the former, in UTC."""

    def __init__(self, wall: Callable[[], datetime], state: ClockState) -> None:
        self._wall = wall
        self._speed = state.speed
        self._is_paused = state.is_paused
        self._since = wall()
        self._base = state.at
        self._latest = state.at

    def now(self) -> datetime:
        """Return the exchange's present moment; it never runs backwards."""
        if self._is_paused:
            return self._base
        reached = self._base + (self._wall() - self._since) * self._speed
        if reached < self._latest:  # the machine's clock was set back: wait until it catches up
            return self._latest
        self._latest = reached
        return reached

    def pause(self) -> None:
        """Let time stand still."""
        self._rebase(self.now())
        self._is_paused = True

    def resume(self, speed: float | None = None) -> None:
        """Let time run, at a new speed if one is given (1 is wall speed)."""
        self._rebase(self.now())
        self._is_paused = False
        if speed is not None:
            self._speed = speed

    def advance_to(self, moment: datetime) -> None:
        """Jump forward to `moment`; an earlier one changes nothing."""
        self._rebase(max(moment, self.now()))

    def state(self) -> ClockState:
        """Return what a restart needs."""
        return ClockState(at=self.now(), speed=self._speed, is_paused=self._is_paused)

    def _rebase(self, moment: datetime) -> None:
        self._base = self._latest = moment
        self._since = self._wall()


def default_start(wall: datetime) -> datetime:
    """Return 10:00 in New York of the latest trading day whose 10:00 is not after `wall`."""
    day = local_date(wall)
    if market_day("STK", day) is None or wall < _ten(wall):
        day = previous_trading_day(day)
    return datetime.combine(day, time(10), NEW_YORK).astimezone(UTC)


def _ten(wall: datetime) -> datetime:
    return datetime.combine(local_date(wall), time(10), NEW_YORK)
