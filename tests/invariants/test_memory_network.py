"""The network in memory keeps what TCP promises: order, all of it, its ends, and room."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

import pytest

from tests.invariants.listeners import PORT, Listener, pair
from tests.invariants.memory_network import WINDOW, MemoryNetwork
from tests.invariants.virtual_time import VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    one = VirtualLoop(seed=1)
    yield one
    one.close()


def wait(loop: VirtualLoop, seconds: float = 1) -> None:
    loop.run_until_complete(asyncio.sleep(seconds))


def network(loop: VirtualLoop) -> MemoryNetwork:
    assert isinstance(loop.network, MemoryNetwork)
    return loop.network


def test_everything_arrives_once_and_in_order(loop: VirtualLoop) -> None:
    client, server = pair(loop)
    said = [f"{number};".encode() for number in range(500)]
    for part in said:
        client.transport.write(part)
    assert not server.heard  # it is on its way
    client.transport.close()
    wait(loop)
    assert server.heard == b"".join(said)
    assert client.ended == server.ended == [None]


def test_a_reset_loses_what_is_on_its_way_and_both_hear_of_the_end(loop: VirtualLoop) -> None:
    client, server = pair(loop)
    client.transport.write(b"lost")
    handle = server.transport.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.transport.abort()
    wait(loop)
    assert server.heard == b""
    assert isinstance(client.ended[0], ConnectionResetError)
    assert server.ended == [None]


def test_a_reader_who_pauses_makes_the_writer_wait_and_loses_nothing(loop: VirtualLoop) -> None:
    client, server = pair(loop)
    server.transport.pause_reading()
    for _ in range(5):
        client.transport.write(b"x" * WINDOW)
    wait(loop)
    assert client.turns == ["pause"]
    assert client.transport.get_write_buffer_size() == 4 * WINDOW
    server.transport.resume_reading()
    wait(loop)
    assert client.turns == ["pause", "resume"]
    assert len(server.heard) == 5 * WINDOW


def test_nobody_listens_and_nobody_answers(loop: VirtualLoop) -> None:
    with pytest.raises(ConnectionRefusedError):
        loop.run_until_complete(loop.create_connection(Listener, "127.0.0.1", PORT))
    client, _ = pair(loop)
    with pytest.raises(OSError, match="in use"):
        network(loop).bind(PORT)
    client.transport.abort()
    client.transport.write(b"nowhere")
    assert client.transport.is_closing()


def test_what_a_dead_process_has_written_still_arrives(loop: VirtualLoop) -> None:
    client, server = pair(loop)
    client.transport.write(b"last words")
    network(loop).sever(0)
    client.transport.write(b"nothing more")
    wait(loop)
    assert server.heard == b"last words"
    assert server.ended == [None]


def test_the_bytes_are_kept_with_their_moments(loop: VirtualLoop) -> None:
    client, server = pair(loop)
    client.transport.write(b"ask")
    wait(loop)
    server.transport.write(b"answer")
    ways = [(one.way, one.data) for one in network(loop).crossings]
    assert ways == [(">", b"ask"), ("<", b"answer")]
    first, second = (one.at for one in network(loop).crossings)
    assert second - first == pytest.approx(1)
