"""The kernel's network in lockstep: real sockets on loopback, and a loop that waits for them.

It has the face of `memory_network.py`. What one end has written, and what the other has read, is
counted; before the loop does anything more, or lets time pass, it waits for the kernel until all
that was sent lies ready to be read, every connection to be accepted, and every end to be heard of.
What is ready at once is then taken in the order in which it was registered, not in the kernel's.
So how fast the machine is changes nothing.
"""

from __future__ import annotations

import asyncio
import fcntl
import select
import socket
import struct
import termios
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.invariants.memory_network import Crossing
from tests.invariants.virtual_time import VirtualLoop, VirtualSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
PATIENCE = 10.0  # seconds of the machine's, for what takes microseconds
# As `create_connection` names it: else asyncio leaves Nagle on, and a write waits for 40 ms.
_KIND = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
_MOMENT = 0.00005  # seconds between two looks
_AT_ONCE = struct.pack("ii", 1, 0)
_OVER = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)  # Linux has that


class Door(socket.socket):
    """Where the gateway listens: any free port, whichever it asked for."""

    def __init__(self) -> None:
        super().__init__(*_KIND)
        self.bind((HOST, 0))
        self.listen()
        self.awaited = 0  # connections that nobody has accepted yet

    def keeps_back(self) -> bool:
        """Whether somebody has connected, and cannot be accepted yet."""
        is_waited_for = self.awaited and self.fileno() >= 0
        return bool(is_waited_for and not _tells(self.fileno(), select.POLLIN))

    def accept(self) -> tuple[socket.socket, Any]:
        """Let the next one in."""
        let_in = super().accept()
        self.awaited -= 1
        return let_in


class End:
    """One end of a connection, and how many bytes it has sent and read.

    Attributes:
        transport: The kernel's, as soon as there is one.
    """

    def __init__(self, note: Callable[[bytes], None], hand_over: Callable[[], object]) -> None:
        self.transport: asyncio.Transport | None = None
        self.read = 0
        self._note, self._hand_over = note, hand_over
        self._written = 0
        self._write: Callable[[bytes], None]

    def listen_in(self, protocol: asyncio.BaseProtocol) -> asyncio.BaseProtocol:
        """Hear what a protocol is told, and what it writes."""
        told = "data_received"
        if isinstance(protocol, asyncio.BufferedProtocol):
            told = "buffer_updated"
        made, heard = protocol.connection_made, getattr(protocol, told)

        def connection_made(transport: asyncio.Transport) -> None:
            self.transport, self._write = transport, transport.write
            setattr(transport, "write", self.write)  # noqa: B010 - mypy lets nobody assign it
            made(transport)

        def received(what: Any) -> None:
            self.read += what if isinstance(what, int) else len(what)
            heard(what)

        setattr(protocol, "connection_made", connection_made)  # noqa: B010
        setattr(protocol, told, received)
        return protocol

    def write(self, data: bytes) -> None:
        """Write, and keep what was written; on a closed connection it goes nowhere."""
        if self.is_open:
            self._note(bytes(data))
            self._written += len(data)
        self._write(data)
        self._hand_over()  # whoever reads next, in this turn too, has it

    @property
    def is_open(self) -> bool:
        """Whether anything can be written."""
        return self.transport is not None and not self.transport.is_closing()

    @property
    def number(self) -> int:
        """The descriptor; -1 once it is closed, or before it is there."""
        if self.transport is None:
            return -1
        return int(self.transport.get_extra_info("socket").fileno())

    @property
    def sent(self) -> int:
        """The bytes that the kernel has taken."""
        waiting = self.transport.get_write_buffer_size() if self.transport is not None else 0
        return self._written - waiting

    def break_off(self, *, reset: bool) -> None:
        """End at once, in order or with a reset."""
        if self.transport is None or self.number < 0:
            return
        if reset:
            handle = self.transport.get_extra_info("socket")
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


class KernelNetwork:
    """Who listens, and every byte that was written: as `MemoryNetwork`, over the kernel's TCP.

    Attributes:
        crossings: The bytes, oldest first.
        ends: The ends of each connection by its number: the client's, the server's.
        is_cut: Nobody can connect: who tries is dead already.
    """

    def __init__(self, loop: LockstepLoop) -> None:
        self.loop = loop
        self.crossings: list[Crossing] = []
        self.ends: dict[int, tuple[End, End]] = {}
        self.is_cut = False
        self._door: Door | None = None
        self._nobody = socket.socket(*_KIND)  # bound, so that nobody else can listen there
        self._nobody.bind((HOST, 0))
        self._accepted = count(1)
        self._begun: list[int] = []  # connections of which something may still come

    def bind(self, _: int) -> Door:
        """Listen."""
        self._door = Door()
        self._accepted = count(len(self.ends) + 1)  # whoever waited at the one before is gone
        return self._door

    def accepting(self, accept: Callable[[], Any]) -> Callable[[], Any]:
        """Return what makes a protocol for whoever is accepted next."""

        def accepted() -> Any:
            return self.ends[next(self._accepted)][1].listen_in(accept())

        return accepted

    def dial(self) -> socket.socket:
        """Return a socket that is connected, to be accepted in a moment.

        Raises:
            ConnectionRefusedError: Nobody listens there.
        """
        door = self._door if self._door is not None and self._door.fileno() >= 0 else None
        line = socket.socket(*_KIND)
        try:
            line.connect((door or self._nobody).getsockname())
        except OSError:
            line.close()
            raise
        if door is not None:
            door.awaited += 1
        line.setblocking(False)
        number = len(self.ends) + 1
        ours, theirs = (End(self._noting(number, way), self.hand_over) for way in "><")
        self.ends[number] = (ours, theirs)
        self._begun.append(number)
        return line

    def client(self) -> End:
        """Return the client's end of the connection that was dialled last."""
        return self.ends[len(self.ends)][0]

    def _noting(self, number: int, way: str) -> Callable[[bytes], None]:
        def note(data: bytes) -> None:
            self.crossings.append(Crossing(self.loop.time(), number, way, data))

        return note

    def sever(self, side: int) -> None:
        """End every connection as the kernel does for a process that died: 0 clients, 1 servers."""
        self.cut(side, reset=False)

    def cut(self, side: int, *, reset: bool) -> None:
        """End every connection by the hand of one side, in order or with a reset."""
        for pair in self.ends.values():
            pair[side].break_off(reset=reset)

    def hand_over(self) -> bool:
        """Wait until the kernel has handed over whatever it was given; the sockets tell of it.

        Raises:
            AssertionError: It keeps something back; nobody takes that for a timeout of his own.
        """
        until = time.monotonic() + PATIENCE
        while not self._is_handed_over():
            if time.monotonic() > until:
                message = "the kernel keeps back what it was given"
                raise AssertionError(message)
            time.sleep(_MOMENT)
        return False

    def _is_handed_over(self) -> bool:
        door = self._door
        if door is not None and door.keeps_back():
            return False
        return all(
            _has_arrived(one, other) and _has_arrived(other, one) for one, other in self._open()
        )

    def _open(self) -> Iterator[tuple[End, End]]:
        """Yield the connections of which an end is open, or not there yet."""
        for number in tuple(self._begun):
            pair = self.ends[number]
            if all(end.transport is not None and end.number < 0 for end in pair):
                self._begun.remove(number)
            else:
                yield pair

    def close(self) -> None:
        """Give back what it holds."""
        if self._door is not None:
            self._door.close()
        self._nobody.close()


def _has_arrived(sender: End, reader: End) -> bool:
    """Whether the reader's side of the kernel has all that was sent, and the end if it was it."""
    if reader.number < 0:
        return True
    if sender.transport is not None and sender.number < 0:
        return _tells(reader.number, _OVER)
    return reader.read == sender.sent or _lying(reader.number) >= sender.sent - reader.read


def _lying(number: int) -> int:
    """Return how many bytes can be read there."""
    told = fcntl.ioctl(number, termios.FIONREAD, bytes(4))
    return int.from_bytes(told, "little")


def _tells(number: int, event: int) -> bool:
    poll = select.poll()
    poll.register(number, event)
    return any(told & event for _, told in poll.poll(0))


class LockstepSelector(VirtualSelector):
    """Goes on only when the kernel has handed everything over, and takes it in one order."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[int, int] = {}
        self._serial = count()

    def register(self, *arguments: Any, **options: Any) -> Any:
        """Take a descriptor in, behind those that are there."""
        key = super().register(*arguments, **options)
        self._places[key.fd] = next(self._serial)
        return key

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready, in the order in which it was registered."""
        return sorted(super().select(timeout), key=lambda one: self._places[one[0].fd])

    def is_under_way(self) -> bool:
        """Whether the kernel may have something to hand over: that was waited for."""
        return False


class LockstepLoop(VirtualLoop):
    """A virtual loop whose connections are the kernel's."""

    def __init__(self) -> None:
        selector = LockstepSelector()
        super().__init__(selector=selector)
        self.network = self._kernel = KernelNetwork(self)
        selector.hand_over = self._kernel.hand_over

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Listen: `create_server(factory, sock=…)`, with what the network has bound."""
        (factory,) = arguments
        accept = self._kernel.accepting(factory)
        return await super().create_server(accept, **options)

    async def create_connection(self, *arguments: Any, **_: Any) -> Any:
        """Connect: `create_connection(factory, host, port)`, wherever the gateway listens."""
        factory, *_rest = arguments
        if self._kernel.is_cut:
            raise ConnectionRefusedError(111, "Connection refused")
        line = self._kernel.dial()
        client = self._kernel.client()
        return await super().create_connection(lambda: client.listen_in(factory()), sock=line)

    def close(self) -> None:
        """Close it, and what the network holds."""
        self._kernel.close()
        super().close()
