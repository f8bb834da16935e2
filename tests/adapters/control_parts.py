"""A door in a short folder, and clients and traders that behave as they like."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ibkr_trader.adapters.control import (
    HEADER,
    PROTOCOL,
    Call,
    Card,
    Done,
    Failed,
    FromTrader,
    Hello,
    Message,
    listen,
    pack,
    read_answer,
    write_card,
)
from ibkr_trader.adapters.control_server import Client, ControlDoor

SINCE = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DONE = Done(reply=msgspec.Raw(b'{"said":"done"}'))
HELLO = Hello(protocol=PROTOCOL, version="9.9", pid=os.getpid(), since=SINCE)
Serve = Callable[[Call, Client], Awaitable[Done | Failed]]


async def at_once(_: Call, __: Client) -> Done:
    """Do nothing, and say so."""
    return DONE


def endless(ended: asyncio.Event) -> Serve:
    """Serve a call until somebody takes it back, and let that be known."""

    async def serve(_: Call, __: Client) -> Done:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return DONE

    return serve


@asynccontextmanager
async def door(
    serve: Serve = at_once,
    *,
    version: str = "9.9",
    watches: Callable[[Call], bool] = lambda _: False,
) -> AsyncIterator[Path]:
    """Keep a door open for the length of the block, in a folder whose name is short."""
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        kept = ControlDoor(Path(name), serve=serve, version=version, since=SINCE, watches=watches)
        async with asyncio.TaskGroup() as group:
            group.create_task(kept.run())
            await kept.opened()
            yield Path(name)
            await kept.close()
        assert list(Path(name).iterdir()) == []  # nothing is left to be found


@asynccontextmanager
async def caller(folder: Path) -> AsyncIterator[socket.socket]:
    """A bare line to the door, for whoever says what he likes."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as line:
        line.setblocking(False)
        await loop.sock_connect(line, str(folder / "trader.sock"))
        yield line


async def say(line: socket.socket, data: bytes) -> None:
    """Send bytes as they are."""
    await asyncio.get_running_loop().sock_sendall(line, data)


async def heard(line: socket.socket) -> FromTrader | None:
    """The next message of the trader; None at the end of the line."""
    head = await _exactly(line, HEADER.size)
    if len(head) < HEADER.size:
        return None
    return read_answer(await _exactly(line, HEADER.unpack(head)[0]))


async def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        try:
            part = await asyncio.get_running_loop().sock_recv(line, size - len(data))
        except ConnectionError:
            return data
        if not part:
            return data
        data += part
    return data


@contextmanager
def trader(folder: Path, behave: Callable[[socket.socket], None]) -> Iterator[None]:
    """Listen as a trader does, and treat the first client in a way of one's own."""
    path = folder / "trader.sock"
    with listen(path) as listener:
        listener.setblocking(True)
        write_card(folder, Card(pid=os.getpid(), socket=str(path), since=SINCE))

        def serve() -> None:
            line, _ = listener.accept()
            with line, contextlib.suppress(ConnectionError):  # a client may leave at any time
                behave(line)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def says(*messages: Message) -> Callable[[socket.socket], None]:
    """Say these, and hang up once the client has."""

    def behave(line: socket.socket) -> None:
        line.sendall(b"".join(map(pack, messages)))
        line.shutdown(socket.SHUT_WR)
        while line.recv(1 << 16):
            pass

    return behave


def says_nothing(line: socket.socket) -> None:
    line.recv(1)


@contextmanager
def deaf(folder: Path) -> Iterator[None]:
    """Be a trader that accepts nobody any more, with as many waiting as there can be."""
    path = folder / "trader.sock"
    waiting: list[socket.socket] = []
    with listen(path):
        write_card(folder, Card(pid=os.getpid(), socket=str(path), since=SINCE))
        try:
            while True:  # nobody accepts: the queue fills
                one = socket.socket(socket.AF_UNIX)
                waiting.append(one)
                one.setblocking(False)
                try:
                    one.connect(str(path))
                except BlockingIOError:
                    break
            yield
        finally:
            for one in waiting:
                one.close()
