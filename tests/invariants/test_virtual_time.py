"""Time runs ahead once nobody has anything to do, and not while something is on its way."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from selectors import EVENT_READ

import pytest

from tests.invariants.virtual_time import VirtualLoop, VirtualSelector

HOUR = 3600.0


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one line."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_what_was_written_and_not_read_is_under_way(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    one, other = ends
    with VirtualSelector() as selector:
        selector.register(one, EVENT_READ)
        assert selector.is_under_way(), "a line that is new"
        assert not selector.is_under_way()
        one.send(b"x")
        assert selector.is_under_way()
        assert selector.is_under_way(), "as long as nobody has read it"
        other.recv(1)
        assert not selector.is_under_way()
        selector.unregister(one)
        assert selector.is_under_way(), "a line that is gone"


def test_who_listens_keeps_no_time_back() -> None:
    with VirtualSelector() as selector, socket.create_server(("127.0.0.1", 0)) as door:
        selector.register(door, EVENT_READ)
        selector.is_under_way()
        assert not selector.is_under_way()


def test_an_hour_at_an_open_line_takes_no_time() -> None:
    async def talk() -> tuple[bytes, float]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(9))
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"x")
            said, at = await asyncio.wait_for(reader.read(9), 1), loop.time()
            await asyncio.sleep(HOUR)
            writer.close()
            await asyncio.sleep(1)
        return said, at

    loop, began = VirtualLoop(), time.monotonic()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(talk()) == (b"x", 0)
        assert loop.time() > HOUR
    assert time.monotonic() - began < 60
