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
from ibkr_trader.sim.gateway.session import Session
from ibkr_trader.sim.gateway.store import StoreError

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
        if len(self._lines) > MOST_LINES:
            idle = (known for known in self._lines if known.session.client_id < 0)
            next(idle, line).abort()

    def heard(self, line: "Line", data: bytes) -> None:
        """Act on what a socket gave, and send what that caused."""
        if self.broken.done():
            line.abort()
            return
        self.engine.touch()
        line.session.receive(data)
        self.flush()

    def closed(self, line: "Line") -> None:
        """Forget a socket: its subscriptions go, its orders stay."""
        self._lines.pop(line, None)
        line.session.close()

    def tick(self, now: datetime) -> None:
        """Queue what is due at `now`, and drop who has connected and stayed silent."""
        limit = monotonic() - SILENCE
        for line in tuple(self._lines):
            if line.session.client_id < 0 and line.opened_at < limit:
                line.abort()
            else:
                line.session.tick(now)

    def flush(self) -> None:
        """Make what happened durable, then send what waits to be sent."""
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

    def hang_up(self) -> None:
        """Send what waits, and drop everybody."""
        for line in tuple(self._lines):
            line.session.close()
        self.flush()
        if not self.broken.done():
            self.engine.mark()
            self.broken.cancel()


class Line(asyncio.Protocol):
    """One socket."""

    def __init__(self, lines: Lines) -> None:
        self.session = Session(lines.engine.floor)
        self.opened_at = monotonic()
        self._lines = lines
        self._transport: asyncio.Transport | None = None

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

    def flush(self) -> None:
        """Write what waits in one write, unless the client has stopped reading."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self.session.has_output:
            data = self.session.take()
            if transport.get_write_buffer_size() + len(data) > MOST_UNSENT:
                self.abort()
                return
            _write(transport, data)
        if self.session.is_reset:
            _break_off(transport)
        elif self.session.is_closed:
            transport.close()

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
