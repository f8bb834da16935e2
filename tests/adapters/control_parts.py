"""A door in a short folder, and clients that behave as they like."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ibkr_trader.adapters.control import HEADER, Call, Done, Failed, FromTrader, read_answer
from ibkr_trader.adapters.control_server import Client, ControlDoor

SINCE = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
DONE = Done(reply=msgspec.Raw(b'{"said":"done"}'))
Serve = Callable[[Call, Client], Awaitable[Done | Failed]]


async def at_once(_: Call, __: Client) -> Done:
    """Do nothing, and say so."""
    return DONE


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
