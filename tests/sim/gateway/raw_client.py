"""A client without a library: bytes in, bytes out, so that a test sees what really arrived."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ibkr_trader.sim.gateway.framing import API_SIGNATURE, frame
from tests.sim.gateway.desk import Desk

HELLO = API_SIGNATURE + struct.pack(">I", 9) + b"v157..176"
ASK_TIME = frame(("49", "1"))
TURNS = 20  # of the event loop: enough for bytes to go there and back


class RawClient(asyncio.Protocol):
    """One socket; `heard` is every byte that came, `reads` how they came."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.ended = asyncio.Event()
        self.error: Exception | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self.reads.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self.error = exc
        self.ended.set()

    @property
    def heard(self) -> bytes:
        """Every byte that came."""
        return b"".join(self.reads)

    def say(self, data: bytes) -> None:
        """Send bytes."""
        assert self._transport is not None
        self._transport.write(data)

    async def settle(self) -> None:
        """Let bytes go both ways."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def asked(self, data: bytes = ASK_TIME) -> bytes:
        """Send bytes and return what came of them at this moment."""
        before = len(self.heard)
        self.say(data)
        await self.settle()
        return self.heard[before:]

    def leave(self) -> None:
        """Close the socket."""
        assert self._transport is not None
        self._transport.close()


@asynccontextmanager
async def connected(desk: Desk, client_id: int | None = 1) -> AsyncIterator[RawClient]:
    """Connect, and start the API unless the id is None; leave in the end."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(RawClient, "127.0.0.1", desk.server.port)
    try:
        client.say(HELLO)
        await client.settle()
        if client_id is not None:
            await client.asked(frame(("71", "2", str(client_id), "")))
        client.reads.clear()
        yield client
    finally:
        client.leave()
        await client.settle()
