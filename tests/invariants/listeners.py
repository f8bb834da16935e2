"""Two ends of a connection that say what they have heard, on any loop with a network of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.invariants.virtual_time import VirtualLoop

PORT = 40_001


class Listener(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended: list[Exception | None] = []
        self.turns: list[str] = []
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.append(exc)

    def pause_writing(self) -> None:
        self.turns.append("pause")

    def resume_writing(self) -> None:
        self.turns.append("resume")


def pair(loop: VirtualLoop) -> tuple[Listener, Listener]:
    """Connect two listeners: the client, and the server's."""
    network, served = loop.network, list[Listener]()
    assert network is not None

    def accept() -> Listener:
        served.append(Listener())
        return served[-1]

    async def connect() -> Listener:
        await loop.create_server(accept, sock=network.bind(PORT))
        _, client = await loop.create_connection(Listener, "127.0.0.1", PORT)
        assert isinstance(client, Listener)
        await asyncio.sleep(0.001)  # the kernel's end is accepted with the next moment
        return client

    client = loop.run_until_complete(connect())
    return client, served[0]
