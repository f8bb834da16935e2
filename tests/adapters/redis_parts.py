"""A client that acts at once, and servers that are not what they should be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

import redis

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.redis_address import RedisAddress
from ibkr_trader.adapters.redis_link import RedisLink, RedisTrouble, Word
from tests.redis_server import RedisServer

PATIENCE = 30.0  # seconds; whatever takes longer is broken, not slow
_LOOK = 0.002
_COMMAND = re.compile(rb"^\*\d+\r$", re.MULTILINE)


class Hand:
    """Somebody else's client: one command at a time, answered as the server words it."""

    def __init__(self, url: str) -> None:
        self._pool = redis.ConnectionPool.from_url(url, protocol=2, max_connections=1)

    def do(self, *words: str | bytes | float) -> Any:
        """Return the answer to a command, making a new connection if the old one broke."""
        connection: Any = self._pool.get_connection()
        try:
            connection.send_command(*words)
            return connection.read_response()
        finally:
            self._pool.release(connection)

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.disconnect()


@contextmanager
def hand(server: RedisServer) -> Iterator[Hand]:
    """Have a hand on the server for the length of the block."""
    one = Hand(server.url)
    try:
        yield one
    finally:
        one.close()


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what another process does and tells nobody."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - it is another process's, and no event of ours
            await asyncio.sleep(_LOOK)


@asynccontextmanager
async def impostor(answer: bytes | None) -> AsyncIterator[int]:
    """Serve something on a free port that answers every command alike; None hangs up at once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while answer is not None and (heard := await reader.read(65_536)):
                writer.write(answer * len(_COMMAND.findall(heard)))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class DeafLink(RedisLink):
    """A link whose library swallows one cancellation, as Python 3.11 lets it.

    Attributes:
        is_asked: Somebody waits for the answer that will not come.
        hangs_at: The command whose answer does not come; what it answers, or
            raises, once it is cancelled.
    """

    def __init__(self, address: RedisAddress, hangs_at: dict[str, Any]) -> None:
        super().__init__(address)
        self.hangs_at = hangs_at
        self.is_asked = asyncio.Event()

    async def ask(self, *words: Word, wait: float = 0.0) -> Any:
        if words[0] in self.hangs_at and not self.is_asked.is_set():
            self.is_asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return self._answer(self.hangs_at[str(words[0])])
        return await super().ask(*words, wait=wait)

    def _answer(self, found: Any) -> Any:
        if isinstance(found, RedisTrouble):
            raise found
        return found


class VirtualTime:
    """A clock that stands still until a test lets seconds pass, and those who sleep by it."""

    def __init__(self, start: datetime) -> None:
        self.clock = ManualClock(start)
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        """Wait until so many of its seconds have passed."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        one = (self.clock.monotonic() + seconds, woken)
        self._sleepers.append(one)
        try:
            await woken
        finally:
            self._sleepers.remove(one)

    async def sleeps(self, seconds: float) -> None:
        """Wait until somebody sleeps who is to be woken in so many seconds."""
        due = self.clock.monotonic() + seconds
        await until(lambda: any(abs(at - due) < 1e-6 for at, _ in self._sleepers))

    def move(self, seconds: float) -> None:
        """Let seconds pass, and wake whoever is due."""
        self.clock.advance(seconds)
        for at, woken in self._sleepers:
            if at <= self.clock.monotonic() + 1e-9 and not woken.done():
                woken.set_result(None)
