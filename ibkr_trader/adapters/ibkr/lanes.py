"""What leaves, in which order, and how fast.

TWS takes 50 messages a second and breaks off with those who send more. The client library's
one queue makes a cancel wait behind market data; ours has a lane for each purpose. All
lanes together stay at 40 frames in any second; openings and data have 30 of them, so that a
cancel always finds room. A halt has four more. What waits at a disconnect is dropped and says
so: it never left, and is never sent later.

No clock and no socket in here: time is given, and frames go to a function.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RATE = 40  # frames in any one second
BULK_RATE = 30  # of which openings and data, the two lanes that rank lowest
KILL_RESERVE = 4  # beyond it, for a halt alone: its first cancels wait for nobody
WINDOW = 1.1  # TWS counts as they arrive: a burst may be late, and the next one in time
MODIFY_SPACING = 1.0  # seconds between two changes of one symbol


class Lane(IntEnum):
    """In order of precedence. `ASK` is what must be known before anything is opened."""

    KILL = 0
    CANCEL = 1
    CLOSE = 2
    MODIFY = 3
    ASK = 4
    OPEN = 5
    DATA = 6


_BULK = frozenset({Lane.OPEN, Lane.DATA})


def _nothing(_: str) -> None:
    return


@dataclass(slots=True, eq=False)
class Parcel:
    """Frames that leave together, in one turn, or not at all.

    Attributes:
        key: A newer parcel of the same key takes this one's place (latest wins).
        spaced_by: Parcels of the same value keep `MODIFY_SPACING` apart.
        on_step: Called with `CP4` before the first frame, `CP5` after it, `CP6` between
            frames and `CP7` after the last: where a crash is rehearsed.
        objection: Asked at the last moment: a reason drops it instead.
        on_sent: Called once everything is written.
        on_dropped: Called instead, with the reason, if it never left.
    """

    lane: Lane
    frames: tuple[str, ...]
    key: str = ""
    spaced_by: str = ""
    on_step: Callable[[str], None] = _nothing
    objection: Callable[[], str] = str
    on_sent: Callable[[], None] | None = None
    on_dropped: Callable[[str], None] = _nothing


class Lanes:
    """The queues, and the meter of what was written within the last second."""

    def __init__(
        self, *, write: Callable[[str], None], rate: int = RATE, bulk_rate: int = BULK_RATE
    ) -> None:
        self._write = write
        self._rate = rate
        self._bulk_rate = bulk_rate
        self._queues: dict[Lane, deque[Parcel]] = {lane: deque() for lane in Lane}
        self._sent: deque[float] = deque()
        self._sent_bulk: deque[float] = deque()
        self._spaced: dict[str, float] = {}
        self.is_open = False

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def put(self, parcel: Parcel) -> None:
        """Let `parcel` wait its turn; one of the same key that waits already is replaced."""
        queue = self._queues[parcel.lane]
        if parcel.key:
            for at, waiting in enumerate(queue):
                if waiting.key == parcel.key:
                    queue[at] = parcel
                    return
        queue.append(parcel)

    def pump(self, now: float) -> float | None:
        """Write what may leave at `now`; return how long until more may, None if none waits."""
        while self.is_open and (parcel := self._next(now)) is not None:
            self._send(parcel, now)
        return self._delay(now)

    def clear(self, reason: str) -> None:
        """Drop everything that waits, in order of precedence, and say why."""
        self.is_open = False
        dropped = [parcel for queue in self._queues.values() for parcel in queue]
        for queue in self._queues.values():
            queue.clear()
        for parcel in dropped:
            parcel.on_dropped(reason)

    def withdraw(self, what: Parcel | str, reason: str) -> None:
        """Drop a parcel that waits, or the one that waits under a key."""
        for queue in self._queues.values():
            for parcel in tuple(queue):
                if parcel is what or (parcel.key and parcel.key == what):
                    queue.remove(parcel)
                    parcel.on_dropped(reason)

    def _next(self, now: float) -> Parcel | None:
        for lane, queue in self._queues.items():
            parcel = next(self._ready(queue, now), None)
            if parcel is None:
                continue
            size = len(parcel.frames)
            limit = self._rate + (KILL_RESERVE if lane is Lane.KILL else 0)
            if not _has_room(self._sent, size=size, limit=limit, now=now):
                return None  # what ranks lower must not take the room that this one waits for
            if lane in _BULK and not _has_room(
                self._sent_bulk, size=size, limit=self._bulk_rate, now=now
            ):
                return None  # nor the room of a bracket, frame by frame
            queue.remove(parcel)
            return parcel
        return None

    def _ready(self, queue: deque[Parcel], now: float) -> Iterator[Parcel]:
        for parcel in queue:
            if self._free_at(parcel, now) <= now:
                yield parcel

    def _free_at(self, parcel: Parcel, now: float) -> float:
        last = self._spaced.get(parcel.spaced_by)
        return now if last is None else last + MODIFY_SPACING

    def _send(self, parcel: Parcel, now: float) -> None:
        if why := parcel.objection():
            parcel.on_dropped(why)
            return
        if parcel.spaced_by:
            self._spaced[parcel.spaced_by] = now
        last = len(parcel.frames) - 1
        parcel.on_step("CP4")
        for at, frame in enumerate(parcel.frames):
            if at > 0:
                parcel.on_step("CP6")
            self._write(frame)
            self._sent.append(now)
            if parcel.lane in _BULK:
                self._sent_bulk.append(now)
            if at == 0:
                parcel.on_step("CP5")
            if at == last:
                parcel.on_step("CP7")
        if parcel.on_sent is not None:
            parcel.on_sent()

    def _delay(self, now: float) -> float | None:
        if not self.is_open or not len(self):
            return None
        due = [self._sent[0] + WINDOW] if self._sent else []
        due += [
            free
            for queue in self._queues.values()
            for parcel in queue
            if (free := self._free_at(parcel, now)) > now
        ]
        return max(0.001, min(due, default=now) - now)


def _has_room(sent: deque[float], *, size: int, limit: int, now: float) -> bool:
    while sent and sent[0] <= now - WINDOW:
        sent.popleft()
    return len(sent) + size <= limit or not sent  # a group larger than the limit goes alone
