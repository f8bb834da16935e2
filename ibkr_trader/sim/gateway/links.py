"""One connection's two ways, and the bytes that wait in them.

As long as no fault of the transport is in force nothing waits here, and nothing is looked at. With
one, what a session says is kept apart by messages, so that the wire log tells of each when it has
really left: whole, cut short, or (when the connection ends) not at all.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from ibkr_trader.sim.gateway.network import Mark, Network
from ibkr_trader.sim.gateway.transport_faults import OneWay
from ibkr_trader.sim.gateway.wire import Part

Told = Callable[[Part, int], None]


class Pipe:
    """One way of one connection.

    Attributes:
        size: How many bytes wait in it.
        way: Which one.
    """

    def __init__(self, network: Network, way: OneWay, *, serial: int) -> None:
        self.size = 0
        self._network = network
        self.way: OneWay = way
        self._serial = serial
        self._chunks: deque[tuple[datetime, bytes]] = deque()
        self._budget = 0.0
        self._metered: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes may go past it: nothing waits, and no fault is in force."""
        return not self.size and self._network.is_idle

    def push(self, data: bytes, *, client_id: int, now: datetime) -> None:
        """Put bytes in at this end."""
        if not data:
            return
        rules = self._network.rules(self._serial, client_id, self.way)
        self._chunks.append((now + timedelta(seconds=rules.latency), data))
        self.size += len(data)

    def pull(self, *, client_id: int, now: datetime) -> tuple[bytes, Mark | None]:
        """Take out what arrives now, and the mark that it reaches, if it reaches one."""
        allowed = self._allowed(client_id, now)
        mark = self._next_mark(client_id)
        place = self._place()
        if mark is not None:
            allowed = min(allowed, mark.left(self._serial, place))
        data = self._take(allowed, now)
        self._network.passed[self._serial, self.way] = place + len(data)
        if self._metered is not None:
            self._budget -= len(data)
        is_reached = mark is not None and not mark.left(self._serial, place + len(data))
        return data, mark if is_reached else None

    def drop(self) -> bytes:
        """Take out everything: it will not arrive."""
        data = b"".join(chunk for _, chunk in self._chunks)
        self._chunks.clear()
        self.size = 0
        return data

    def _place(self) -> int:
        return self._network.passed.get((self._serial, self.way), 0)

    def _next_mark(self, client_id: int) -> Mark | None:
        mine = [
            mark
            for mark in self._network.marks
            if mark.way == self.way and mark.client in {None, client_id}
        ]
        return min(mine, key=lambda mark: mark.left(self._serial, self._place()), default=None)

    def _allowed(self, client_id: int, now: datetime) -> int:
        rules = self._network.rules(self._serial, client_id, self.way)
        if rules.rate is None or rules.is_black:
            self._metered = None
        elif self._metered is None:
            self._metered, self._budget = now, 0.0
        else:
            earned = (now - self._metered).total_seconds() * rules.rate
            self._budget = min(self._budget + earned, self.size)
            self._metered = now
        if rules.is_black:
            return 0
        allowed = self.size if self._metered is None else int(self._budget)
        return min(1, allowed) if rules.is_single else allowed

    def _take(self, allowed: int, now: datetime) -> bytes:
        taken: list[bytes] = []
        while allowed and self._chunks and self._chunks[0][0] <= now:
            due, chunk = self._chunks.popleft()
            head, rest = chunk[:allowed], chunk[allowed:]
            taken.append(head)
            allowed -= len(head)
            self.size -= len(head)
            if rest:
                self._chunks.appendleft((due, rest))
        return b"".join(taken)


class Link:
    """Both ways of one connection.

    `told` hears of every message that left or was lost, with how many of its bytes arrived.

    Attributes:
        inward: From the client.
        outward: To the client.
    """

    def __init__(self, network: Network, *, told: Told) -> None:
        self._network = network
        self._serial = network.join()
        self._told = told
        self._parts: deque[Part] = deque()
        self._ahead = 0  # bytes of the first part that have arrived
        self.inward = Pipe(network, "c2s", serial=self._serial)
        self.outward = Pipe(network, "s2c", serial=self._serial)

    def count(self, way: OneWay, size: int) -> None:
        """Note bytes that went past it."""
        self._network.passed[self._serial, way] += size

    def send(self, parts: list[Part], *, client_id: int, now: datetime) -> None:
        """Put messages in for the client."""
        self._parts.extend(parts)
        self.outward.push(b"".join(part.data for part in parts), client_id=client_id, now=now)

    def receive(self, *, client_id: int, now: datetime) -> tuple[bytes, Mark | None]:
        """Return what reaches the client now, and the mark it reaches; its messages are told."""
        data, mark = self.outward.pull(client_id=client_id, now=now)
        self._ahead += len(data)
        while self._parts and self._ahead >= len(self._parts[0].data):
            part = self._parts.popleft()
            self._ahead -= len(part.data)
            self._told(part, len(part.data))
        return data, mark

    def strike(self, mark: Mark) -> None:
        """Do what a mark is there for, once."""
        self._network.marks.remove(mark)
        mark.then()

    def end(self) -> bytes:
        """Give up what waits for the client; return what waits from it."""
        self.outward.drop()
        for part in self._parts:
            self._told(part, self._ahead)
            self._ahead = 0
        self._parts.clear()
        for way in (self.inward, self.outward):
            self._network.passed.pop((self._serial, way.way), None)
        return self.inward.drop()
