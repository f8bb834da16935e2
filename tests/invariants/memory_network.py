"""A network inside the loop: real protocols and real bytes, and no kernel.

What is written arrives after a delay drawn from the seed, in order, on the loop's own time, now
and then in two pieces. Each way holds so much; what goes beyond waits with the writer, who is
told (`pause_writing`). So the same seed gives the same bytes at the same times, and the loop
always knows what is under way. Without delays (`is_instant`) it hands over what the kernel would,
when `kernel_network.py` has it hand over.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 1 << 16  # bytes that one way holds before the writer has to wait
_SPLIT = 0.03  # how often a write arrives in two pieces
_QUICK, _SLOW = 0.0002, 0.012  # seconds on the way
_FREE_PORTS = 40_000


class Crossing(NamedTuple):
    """Bytes that were written: when, on which connection, and which way (`>` to the server)."""

    at: float
    connection: int
    way: str
    data: bytes


class MemorySocket:
    """What protocols ask of a socket: options, which nobody here looks at but one."""

    def __init__(self) -> None:
        self.is_abortive = False

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """Take an option; a linger of zero makes the next close a reset."""
        if level == socket.SOL_SOCKET and option == socket.SO_LINGER and isinstance(value, bytes):
            is_on, seconds = struct.unpack("ii", value)
            self.is_abortive = bool(is_on) and not seconds

    def getsockname(self) -> tuple[str, int]:
        """Return where it is."""
        return ("127.0.0.1", 0)


class MemoryTransport(asyncio.Transport):
    """One end of a connection."""

    def __init__(
        self, network: MemoryNetwork, protocol: asyncio.BaseProtocol, *, number: int, way: str
    ) -> None:
        super().__init__({"socket": MemorySocket(), "peername": ("127.0.0.1", number)})
        self.protocol = protocol
        self.other: MemoryTransport
        self._network, self._number, self._way = network, number, way
        self._loop = network.loop
        self._dice = network.dice
        self._due = 0.0  # when the last piece under way arrives
        self._under_way: deque[Callable[[], None]] = deque()
        self._waiting: deque[bytes] = deque()  # beyond the window, with the writer
        self._arrived: deque[bytes] = deque()  # not read yet
        self._on_way = 0  # bytes that the other end has not read
        self._is_paused = self._is_closing = self._is_gone = self._tells_writer = False
        self._is_over = False  # the other end will say nothing more

    # -- what a protocol does ------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; on a closed connection they go nowhere."""
        if self._is_closing or not data:
            return
        self._network.note(self._number, self._way, bytes(data))
        self._waiting.append(bytes(data))
        self._send()

    def close(self) -> None:
        """Send what waits, then end this side."""
        if not self._is_closing:
            self._is_closing = True
            self._send()

    def abort(self) -> None:
        """End at once: in order, or with a reset if the socket was told to."""
        if self._is_gone:
            return
        self._waiting.clear()
        self._is_closing = True
        if self.get_extra_info("socket").is_abortive and not self._network.is_instant:
            self.other._break()
        self._leave(None)

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait for room."""
        return sum(map(len, self._waiting))

    def pause_reading(self) -> None:
        """Take nothing more; what arrives is kept, and the other side fills up."""
        self._is_paused = True

    def resume_reading(self) -> None:
        """Take what has arrived, and go on."""
        self._is_paused = False
        self._loop.call_soon(self._read)

    def is_reading(self) -> bool:
        """Whether what arrives is taken."""
        return not (self._is_paused or self._is_closing)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who is told."""
        return self.protocol

    # -- the way to the other end ----------------------------------------------------------------

    def _send(self) -> None:
        while self._waiting and self._on_way < WINDOW:
            data = self._waiting.popleft()
            self._on_way += len(data)
            cut = self._dice.randrange(1, len(data)) if self._is_cut(data) else 0
            for piece in filter(None, (data[:cut], data[cut:])):
                self._later(self.other._arrive, piece)
        is_full = bool(self._waiting)
        if is_full is not self._tells_writer:
            self._tells_writer = is_full
            tell = self.protocol.pause_writing if is_full else self.protocol.resume_writing
            self._loop.call_soon(tell)
        if self._is_closing and not self._waiting and not self._is_gone:
            self._leave(None)

    def _is_cut(self, data: bytes) -> bool:
        may_be = len(data) > 1 and not self._network.is_instant
        return may_be and self._dice.random() < _SPLIT

    def _later(self, what: Callable[..., None], *arguments: object) -> None:
        self._under_way.append(partial(what, *arguments))  # timers of one moment keep no order
        if not self._network.is_instant:
            self._due = max(self._due, self._loop.time() + self._network.delay())
            self._loop.call_at(self._due, self._hand_over)

    def _hand_over(self) -> None:
        self._under_way.popleft()()

    @property
    def has_sent(self) -> bool:
        """Whether anything is on its way to the other end."""
        return bool(self._under_way)

    def hand_over_all(self) -> None:
        """Let all of it arrive, as one piece."""
        while self._under_way:
            self._under_way.popleft()()
        self.other._read()

    def _arrive(self, data: bytes) -> None:
        if not self._is_gone:
            self._arrived.append(data)
            if not self._network.is_instant:
                self._read()

    def _read(self) -> None:
        if self._network.is_instant and self._arrived:
            self._arrived = deque([b"".join(self._arrived)])
        while self._arrived and not (self._is_paused or self._is_closing):
            data = self._arrived.popleft()
            self.other._room(len(data))
            _hand_in(self.protocol, data)
        if self._is_over and not self._arrived and not self._is_closing:
            self.close()  # the protocols here keep no half of a connection open

    def _room(self, size: int) -> None:
        self._on_way -= size
        if self._waiting:
            self._loop.call_soon(self._send)

    # -- the end -----------------------------------------------------------------------------

    def _leave(self, error: Exception | None) -> None:
        self._is_gone = True
        self._loop.call_soon(self.protocol.connection_lost, error)
        self._later(self.other._break if self._is_reset() else self.other._hear_end)

    def _is_reset(self) -> bool:
        """Whether the kernel would break off: it was told to, or something was never read."""
        is_unread = self._arrived or self.other.has_sent
        is_told = self.get_extra_info("socket").is_abortive
        return self._network.is_instant and bool(is_told or is_unread)

    def _hear_end(self) -> None:
        self._is_over = True
        if self._is_closing and not self._is_gone:  # nobody takes what still waits
            self._waiting.clear()
            self._leave(None)
        self._read()

    def _break(self) -> None:
        """Lose what is under way in both directions, and hear of it in a moment."""
        if self._network.is_instant:
            self._read()  # as the kernel does, which tells of the end behind it
        self._arrived.clear()
        self._waiting.clear()
        self._is_closing = True
        if not self._is_gone:
            self._is_gone = True
            error = ConnectionResetError(104, "Connection reset by peer")
            delay = 0 if self._network.is_instant else _QUICK
            self._loop.call_later(delay, self.protocol.connection_lost, error)


def _hand_in(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Give a protocol its bytes, at once or into the buffer that it offers."""
    if isinstance(protocol, asyncio.Protocol):
        protocol.data_received(data)
        return
    assert isinstance(protocol, asyncio.BufferedProtocol)
    while data:
        room = memoryview(protocol.get_buffer(len(data)))
        size = min(len(room), len(data))
        room[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]


class Listening:
    """What listens at a port, as far as anybody asks a socket or an `asyncio.Server`.

    Attributes:
        accept: Makes a protocol for whoever connects; None lets them wait.
    """

    def __init__(self, network: MemoryNetwork, port: int) -> None:
        self.accept: Callable[[], asyncio.BaseProtocol] | None = None
        self._network, self._port = network, port

    def getsockname(self) -> tuple[str, int]:
        """Return where it is."""
        return ("127.0.0.1", self._port)

    def settimeout(self, _: float) -> None:
        """Wait for nothing, as everything here."""

    def close(self) -> None:
        """Accept nobody any more."""
        if self._network.listening.get(self._port) is self:
            del self._network.listening[self._port]

    async def wait_closed(self) -> None:
        """Let what was said last be said."""
        await asyncio.sleep(0)


class MemoryNetwork:
    """Who listens where, and every byte that was written.

    Attributes:
        crossings: The bytes, oldest first.
        ends: The transports of each connection by its number: the client's, the server's.
        is_cut: Nobody can connect: who tries is dead already.
        is_instant: Nothing takes time, and everything arrives as it was written.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.loop = loop
        self.dice = random.Random(seed)  # noqa: S311 - delays, not a secret
        self.listening: dict[int, Listening] = {}
        self.crossings: list[Crossing] = []
        self.is_cut = self.is_instant = False
        self.ends: dict[int, tuple[MemoryTransport, MemoryTransport]] = {}

    def hand_over(self) -> bool:
        """Let what takes no time arrive, as the kernel does between two turns of the loop.

        Return whether anything does.
        """
        if not self.is_instant:
            return False
        ends = (end for client, server in self.ends.values() for end in (server, client))
        due = [end for end in ends if end.has_sent]
        for end in due:
            self.loop.call_soon(end.hand_over_all)
        return bool(due)

    def note(self, connection: int, way: str, data: bytes) -> None:
        """Keep what was written."""
        self.crossings.append(Crossing(self.loop.time(), connection, way, data))

    def delay(self) -> float:
        """Draw how long something is on its way."""
        return 0 if self.is_instant else self.dice.uniform(_QUICK, _SLOW)

    def bind(self, port: int) -> Listening:
        """Listen at a port (0 for a free one); who connects waits until somebody accepts.

        Raises:
            OSError: Somebody listens there.
        """
        port = port or _FREE_PORTS + len(self.listening)
        if port in self.listening:
            raise OSError(98, "Address already in use")
        self.listening[port] = Listening(self, port)
        return self.listening[port]

    async def connect(self, factory: Callable[[], Any], port: int) -> tuple[MemoryTransport, Any]:
        """Connect to a port.

        Raises:
            ConnectionRefusedError: Nobody listens there.
        """
        await asyncio.sleep(self.delay())
        while True:
            there = self.listening.get(port)
            if there is None or self.is_cut:
                raise ConnectionRefusedError(111, "Connection refused")
            if there.accept is not None:
                break
            await asyncio.sleep(_SLOW)
        number = len(self.ends) + 1
        ours, theirs = factory(), there.accept()
        client = MemoryTransport(self, ours, number=number, way=">")
        server = MemoryTransport(self, theirs, number=number, way="<")
        client.other, server.other = server, client
        self.ends[number] = (client, server)
        ours.connection_made(client)
        theirs.connection_made(server)
        return client, ours

    def sever(self, side: int) -> None:
        """End every connection as the kernel does for a process that died: 0 clients, 1 servers."""
        for pair in self.ends.values():
            pair[side].abort()

    def cut(self, side: int, *, reset: bool) -> None:
        """End every connection by the hand of one side, in order or with a reset."""
        for pair in self.ends.values():
            pair[side].get_extra_info("socket").is_abortive = reset
            pair[side].abort()
