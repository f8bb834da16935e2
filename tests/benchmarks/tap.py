"""A server in a process of its own that notes when orders arrive, and passes bytes on.

    python -m tests.benchmarks.tap [UPSTREAM_PORT]

It prints its port and its control port. Whoever connects to the second is told of each order
and each cancel that arrives at the first: its message id, and the time by `perf_counter`, which
counts alike in all processes of a machine. A process of its own, because a server on the loop
that is measured would wait for whatever else that loop has to do.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time

from ibkr_trader.adapters.ibkr.frames import FrameSplitter

HOST = "127.0.0.1"
HELLO = b"API\0"
PLACE_ORDER, CANCEL_ORDER = "3", "4"
NOTE = struct.Struct("=Bd")  # message id, seconds


class Side(asyncio.Protocol):
    """One socket: bytes that come in here go out at the other."""

    def __init__(self) -> None:
        self.other: Side | None = None
        self._transport: asyncio.Transport | None = None
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what came before the socket was there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._waiting)

    def data_received(self, data: bytes) -> None:
        """Pass on what comes."""
        if self.other is not None:
            self.other.send(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side too."""
        if self.other is not None and self.other._transport is not None:
            self.other._transport.close()

    def send(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        if self._transport is None:
            self._waiting += data
        else:
            self._transport.write(data)


class ClientSide(Side):
    """The side that clients write to, where frames are looked at."""

    def __init__(self, listeners: list[asyncio.StreamWriter]) -> None:
        super().__init__()
        self._listeners = listeners
        self._splitter = FrameSplitter()
        self._is_new = True

    def data_received(self, data: bytes) -> None:
        """Note the time before anything else is done."""
        now = time.perf_counter()
        rest = data[len(HELLO) :] if self._is_new else data
        self._is_new = False
        for frame in self._splitter.feed(rest):
            if frame.fields and frame.fields[0] in {PLACE_ORDER, CANCEL_ORDER}:
                for listener in self._listeners:
                    listener.write(NOTE.pack(int(frame.fields[0]), now))
        super().data_received(data)


async def serve(upstream: int) -> None:
    """Serve until the control connection ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    listeners: list[asyncio.StreamWriter] = []

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listeners.append(writer)
        await reader.read()
        over.set()

    async with asyncio.TaskGroup() as dials:

        async def dial(far: Side) -> None:
            await loop.create_connection(lambda: far, HOST, upstream)

        def accepted() -> Side:
            near = ClientSide(listeners)
            if upstream:
                near.other, near.other.other = (far := Side()), near
                dials.create_task(dial(far))
            return near

        taps = await loop.create_server(accepted, HOST, 0)
        controls = await asyncio.start_server(control, HOST, 0)
        ports = (server.sockets[0].getsockname()[1] for server in (taps, controls))
        print(*ports, flush=True)
        await over.wait()
        taps.close()
        controls.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
