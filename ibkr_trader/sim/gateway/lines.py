"""Every open socket and its session: read, act, commit, write, in that order.

What one read of a socket causes is committed to the store first and then leaves in one write per
client, so a client never learns of an order that a kill -9 would take back. A client that does
not read is dropped, never waited for; so is one that connects and stays silent.
"""

import asyncio
import socket
import struct
from datetime import datetime
from time import monotonic
from typing import cast

from ibkr_trader.sim.gateway.engine import Engine
from ibkr_trader.sim.gateway.links import Link
from ibkr_trader.sim.gateway.session import Session
from ibkr_trader.sim.gateway.store import StoreError
from ibkr_trader.sim.gateway.wire import Part

MOST_LINES = 200
MOST_UNSENT = 16 << 20
SILENCE = 15.0
READ_BLOCK = 4096
TAIL = 64


class Lines:
    """The open sockets of one exchange.

    Attributes:
        engine: What they share.
        broken: Fails with the `StoreError` that ended all answering.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines: dict[Line, None] = {}

    def opened(self, line: "Line") -> None:
        """Take a new socket in; when there are too many, the oldest that never spoke goes."""
        self._lines[line] = None
        if self.engine.floor.wiring.network.turns_away():
            line.session.close()
            line.flush()
        if len(self._lines) > MOST_LINES:
            idle = (known for known in self._lines if known.session.client_id < 0)
            next(idle, line).abort()

    def heard(self, line: "Line", data: bytes) -> None:
        """Act on what a socket gave, and send what that caused."""
        if self.broken.done():
            line.abort()
            return
        self.engine.touch()
        line.hear(data)
        self.flush()

    def closed(self, line: "Line") -> None:
        """Forget a socket: its subscriptions go, its orders stay."""
        self._lines.pop(line, None)
        line.session.close()
        line.forget()

    def tick(self, now: datetime) -> None:
        """Queue what is due at `now`, and drop who has connected and stayed silent."""
        limit = monotonic() - SILENCE
        for line in tuple(self._lines):
            is_silent = line.session.client_id < 0 and line.opened_at < limit
            if is_silent and not line.is_held_up:
                line.abort()
            elif not line.session.is_closed:
                line.session.tick(now)
                line.hear()

    def flush(self) -> None:
        """Do what was planned for now, make what happened durable, then send what waits."""
        self.engine.floor.wiring.agenda.run()
        try:
            self.engine.commit()
        except StoreError as error:
            for line in tuple(self._lines):
                line.abort()
            if not self.broken.done():
                self.broken.set_exception(error)
            return
        for line in tuple(self._lines):
            line.flush()

    def sessions(self, client_id: int | None = None) -> tuple[Session, ...]:
        """Return the conversations under way, of everybody or of one client."""
        found = (line.session for line in self._lines)
        return tuple(s for s in found if not s.is_closed and client_id in {None, s.client_id})

    def hang_up(self) -> None:
        """Send what waits, and drop everybody."""
        for line in tuple(self._lines):
            line.session.close()
        self.flush()
        for line in tuple(self._lines):
            line.give_up()
        if not self.broken.done():
            self.engine.mark()
            self.broken.cancel()


class Line(asyncio.Protocol):
    """One socket, and what faults of the transport do to it."""

    def __init__(self, lines: Lines) -> None:
        self.session = Session(lines.engine.floor)
        self.opened_at = monotonic()
        self._lines = lines
        self._floor = lines.engine.floor
        self._link = Link(self._floor.wiring.network, told=self._tell)
        self._transport: asyncio.Transport | None = None
        self._goes_on = False

    @property
    def is_held_up(self) -> bool:
        """Whether something of the client's is on its way: it is not silent."""
        return bool(self._link.inward.size)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send without waiting for more."""
        self._transport = cast("asyncio.Transport", transport)
        handle = transport.get_extra_info("socket")
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines.opened(self)

    def data_received(self, data: bytes) -> None:
        """Act on what arrived."""
        self._lines.heard(self, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it went changes nothing
        """Let the client go."""
        self._transport = None
        self._lines.closed(self)

    def hear(self, data: bytes = b"") -> None:
        """Act on what has reached the gateway, of `data` and of what was on its way."""
        link, session = self._link, self.session
        if link.inward.is_open:
            link.count("c2s", len(data))
            session.receive(data)
            return
        link.inward.push(data, client_id=session.client_id, now=self._floor.now)
        while not session.is_closed:
            came, mark = link.inward.pull(client_id=session.client_id, now=self._floor.now)
            session.receive(came)
            if mark is not None:
                link.strike(mark)
            elif not came:
                return

    def flush(self) -> None:
        """Write what waits and may leave, unless the client has stopped reading."""
        transport, session, link = self._transport, self.session, self._link
        if transport is None or transport.is_closing():
            return
        if not (session.is_reset or session.is_cut_off):
            if link.outward.is_open:
                if session.talk.has_output:
                    data = session.talk.take()
                    link.count("s2c", len(data))
                    self._write(transport, data)
            else:
                self._flush_slowly(transport)
        if session.talk.is_over and not session.is_closed:
            session.close()
        if transport.is_closing():
            return
        if session.is_reset:
            _break_off(transport)
        elif session.is_cut_off or (session.is_closed and not link.outward.size):
            transport.close()

    def _flush_slowly(self, transport: asyncio.Transport) -> None:
        link, client_id, now = self._link, self.session.client_id, self._floor.now
        link.send(self.session.talk.take_parts(), client_id=client_id, now=now)
        if link.outward.size > MOST_UNSENT:
            self.abort()
            return
        data, mark = link.receive(client_id=client_id, now=now)
        if data:
            self._write(transport, data)
        if mark is not None:
            link.strike(mark)
        if (data or mark is not None) and not self._goes_on:  # there may be more
            self._goes_on = True
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._go_on)  # a client in this loop reads in between

    def _go_on(self) -> None:
        self._goes_on = False
        self._lines.flush()

    def _write(self, transport: asyncio.Transport, data: bytes) -> None:
        if transport.get_write_buffer_size() + len(data) > MOST_UNSENT:
            self.abort()
        else:
            _write(transport, data)

    def forget(self) -> None:
        """Take note of what the end of the connection has cost."""
        left = self._link.end()
        if left:
            self.session.overhear(left)

    def give_up(self) -> None:
        """Drop the client if it has not got everything: it never will."""
        if self._link.outward.size:
            self.abort()

    def _tell(self, part: Part, passed: int) -> None:
        self._floor.wiring.hear_part(part, self.session.client_id, passed=passed)

    def abort(self) -> None:
        """Drop the client without another word."""
        self.session.close()
        if self._transport is not None:
            self._transport.abort()


def _break_off(transport: asyncio.Transport) -> None:
    """Close with a reset, as a machine does that has forgotten the connection."""
    handle = transport.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _write(transport: asyncio.Transport, data: bytes) -> None:
    """Write in one piece, or in two where ibapi, reading 4096 bytes at a time, would lose it."""
    if len(data) % READ_BLOCK:
        transport.write(data)
        return
    transport.write(data[:-TAIL])
    transport.write(data[-TAIL:])
