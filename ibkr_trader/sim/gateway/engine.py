"""The exchange with its clock and its store: what every socket shares, without any socket.

The idle wake rule: the exchange's clock runs on at its own speed, so in the end it is night there.
When the first client starts the API after ten minutes without any, and the exchange stands outside
regular hours, its clock jumps to 10:00 of the next trading day (the day rolls, DAY orders expire).
So the simulator works at any hour of any day, and never jumps under a client's feet.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from ibkr_trader.sim.calendar import NEW_YORK, Phase, current_day, next_day, phase_at
from ibkr_trader.sim.clock import ExchangeClock
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.gateway.floor import Floor
from ibkr_trader.sim.gateway.store import ClockMark, Store

IDLE = timedelta(minutes=10)
MARK_EVERY = timedelta(seconds=5)
_OPENING = time(10)


def waking_moment(now: datetime) -> datetime | None:
    """Return 10:00 of the next trading day if `now` is outside regular hours, else None."""
    if phase_at("STK", now) is Phase.REGULAR:
        return None
    day = current_day("STK", now)
    if now >= day.regular.closes:
        day = next_day("STK", day.date)
    return datetime.combine(day.date, _OPENING, NEW_YORK).astimezone(UTC)


class Engine:
    """One exchange in time, and durable.

    Attributes:
        floor: Where sessions meet the exchange.
        clock: The exchange's time.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        clock: ExchangeClock,
        wall: Callable[[], datetime],
        store: Store | None = None,
        master_id: int | None = None,
        may_wake: bool = True,
    ) -> None:
        self.floor = Floor(exchange, now=clock.now(), before_first=self._wake, master_id=master_id)
        self._exchange = exchange
        self.clock = clock
        self._wall = wall
        self._store = store
        mark = store.clock() if store is not None else None
        self._left_at = mark.wall if mark is not None and mark.had_clients else None
        if not may_wake:  # somebody chose this hour just now
            self._left_at = wall()
        self._marked_at = wall() - MARK_EVERY

    def touch(self) -> None:
        """Let the floor know what time it is, before it is asked anything."""
        self.floor.now = max(self.clock.now(), self.floor.now)

    def advance(self) -> datetime:
        """Let the exchange reach the present, and return it."""
        self.touch()
        self.floor.advance(self.floor.now)
        self.floor.wiring.faults.tick()
        self.floor.wiring.network.tick()
        self.floor.wiring.uplink.tick()
        if not self.floor.is_empty:
            self._left_at = self._wall()
        if self._wall() - self._marked_at >= MARK_EVERY:
            self.mark()
        return self.floor.now

    def commit(self) -> None:
        """Make durable what happened since the last commit.

        Raises:
            StoreError: It is not durable, so it must not be answered.
        """
        changes = self._exchange.changes()
        if changes is not None and self._store is not None:
            self._store.save(changes)

    def mark(self) -> None:
        """Remember where the clock stands, for a restart."""
        wall = self._marked_at = self._wall()
        if self._store is not None:
            had_clients = self._left_at is not None
            left_at = self._left_at or wall
            mark = ClockMark(at=self.floor.now, wall=left_at, had_clients=had_clients)
            self._store.mark_clock(mark)

    def _wake(self) -> None:
        # Whoever comes and goes between two pulses has been here, too.
        left_at, self._left_at = self._left_at, self._wall()
        if left_at is not None and self._left_at - left_at < IDLE:
            return
        moment = waking_moment(self.clock.now())
        if moment is not None:
            self.clock.advance_to(moment)
            self.touch()
            self.floor.advance(self.floor.now)
