"""Over the kernel's TCP, too, nothing is done and no time passes while bytes are on their way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from selectors import EVENT_READ

import pytest

from tests.invariants import kernel_network
from tests.invariants.kernel_network import KernelNetwork, LockstepLoop
from tests.invariants.listeners import PORT, Listener, pair


@pytest.fixture
def loop() -> Iterator[LockstepLoop]:
    one = LockstepLoop()
    yield one
    for side in (0, 1):
        network(one).sever(side)
    one.run_until_complete(asyncio.sleep(1))
    one.close()


def network(loop: LockstepLoop) -> KernelNetwork:
    assert isinstance(loop.network, KernelNetwork)
    return loop.network


def test_what_was_written_is_there_before_any_time_passes(loop: LockstepLoop) -> None:
    client, server = pair(loop)
    for number in range(100):
        client.transport.write(b"x")
        loop.run_until_complete(asyncio.sleep(1e-9))
        server.transport.write(b"yz")
        loop.run_until_complete(asyncio.sleep(1e-9))
        assert (len(server.heard), len(client.heard)) == (number + 1, 2 * number + 2)
    ways = [(one.way, one.data) for one in network(loop).crossings[-2:]]
    assert ways == [(">", b"x"), ("<", b"yz")]


@pytest.mark.parametrize("reset", [False, True])
def test_an_end_is_heard_of_before_any_time_passes(loop: LockstepLoop, reset: bool) -> None:
    client, server = pair(loop)
    network(loop).cut(1, reset=reset)
    loop.run_until_complete(asyncio.sleep(1e-9))
    assert server.ended == [None]
    (why,) = client.ended
    assert isinstance(why, ConnectionResetError) if reset else why is None


def test_what_a_dead_process_has_written_still_arrives(loop: LockstepLoop) -> None:
    client, server = pair(loop)
    client.transport.write(b"last words")
    network(loop).sever(0)
    client.transport.write(b"nothing more")
    loop.run_until_complete(asyncio.sleep(1e-9))
    assert server.heard == b"last words"
    assert server.ended == [None]


def test_who_is_ready_has_his_turn_by_when_he_came() -> None:
    with kernel_network.LockstepSelector() as selector:
        ends = [end for _ in range(4) for end in socket.socketpair()]
        readers, writers = ends[::2], ends[1::2]
        for reader in reversed(readers):
            selector.register(reader, EVENT_READ)
        for writer in writers:
            writer.send(b"x")
        ready = [key.fileobj for key, _ in selector.select(0)]
        assert ready == readers[::-1]
        for end in ends:
            end.close()


def test_a_kernel_that_keeps_something_back_is_complained_of(
    loop: LockstepLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = pair(loop)
    monkeypatch.setattr(kernel_network, "_lying", lambda _: 0)
    monkeypatch.setattr(kernel_network, "PATIENCE", 0.01)
    with pytest.raises(AssertionError, match="keeps back"):
        client.transport.write(b"x")
    monkeypatch.undo()


def test_nobody_listens_and_somebody_is_dead(loop: LockstepLoop) -> None:
    with pytest.raises(ConnectionRefusedError):
        loop.run_until_complete(loop.create_connection(Listener, "127.0.0.1", PORT))
    pair(loop)
    network(loop).is_cut = True
    with pytest.raises(ConnectionRefusedError):
        loop.run_until_complete(loop.create_connection(Listener, "127.0.0.1", PORT))
