"""The way of a signal through Redis: from the producer's XADD until the desk is asked to take it.

The producer is a bare transport on the loop of the consumer, so the time begins when its bytes
leave and ends when `take` is called. The echo beside it sends an envelope of the same size to
another process and back.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from redis import asyncio as aioredis

from ibkr_trader.adapters.redis_address import read_address
from ibkr_trader.adapters.signals.envelope import read_envelope, signed
from ibkr_trader.adapters.signals.redis_queue import RedisSignals
from ibkr_trader.adapters.signals.redis_settings import RedisSettings
from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.signals import Claim, Incoming, SignalReply
from ibkr_trader.execution.tasks import alongside
from tests.benchmarks import echo
from tests.benchmarks.harness import Goal, Sample, Table, version
from tests.benchmarks.stage import PATIENCE, Stage, stage
from tests.redis_server import RedisServer, running

ONE_AT_A_TIME, BACKLOG, BATCH = 2_000, 10_000, 100
REST = 0.002  # seconds before each sample, in which everybody goes back to waiting
KEY_ID, KEY = "k1", b"a-key-that-both-sides-know"
AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
ACTED = SignalReply(outcome=Outcome.ACTED)
ENVELOPE = signed(
    {
        "v": 1, "id": "7f3a90c1", "ts": AT, "symbol": "AAPL", "action": "BUY",
        "confidence": Decimal("0.82"), "price": Decimal("187.32"), "seq": 7,
    },
    key_id=KEY_ID,
    key=KEY,
)  # fmt: skip
CLAIM = Claim(
    source="redis",
    signal_id="7f3a90c1",
    ticker="AAPL",
    action=SignalAction.BUY,
    confidence=Decimal("0.82"),
    issued_at=AT,
)
FILL = "for _ = 1, tonumber(ARGV[2]) do redis.call('XADD', KEYS[1], '*', 'data', ARGV[1]) end"


class Line(asyncio.Protocol):
    """A bare line to another process, which counts the bytes that come back."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._left = 0
        self._done: asyncio.Future[float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count, and say when it is all."""
        self._left -= len(data)
        if self._left <= 0 and self._done is not None and not self._done.done():
            self._done.set_result(time.perf_counter())

    def expect(self, size: int) -> asyncio.Future[float]:
        """Return when so many bytes have come, as `perf_counter` has it."""
        self._left, self._done = size, asyncio.get_running_loop().create_future()
        return self._done

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.transport is not None
        self.transport.write(data)


class Goalpost:
    """Where signals arrive; it says when so many have."""

    def __init__(self) -> None:
        self._left = 0
        self._done: asyncio.Future[float] | None = None

    def expect(self, count: int) -> asyncio.Future[float]:
        """Return when so many signals have arrived, as `perf_counter` has it."""
        self._left, self._done = count, asyncio.get_running_loop().create_future()
        return self._done

    def arrive(self) -> None:
        """Count one."""
        self._left -= 1
        if self._left == 0 and self._done is not None:
            self._done.set_result(time.perf_counter())

    async def take(self, incoming: Incoming) -> SignalReply:
        """Take a signal, as a desk would that has nothing to do."""
        self.arrive()
        return ACTED


class Consumed:
    """A stream with one consumer, and the bytes that put a signal on it."""

    def __init__(self, stream: str, post: Goalpost, producer: Line, client: Any) -> None:
        self.post = post
        self._producer, self._client, self._stream = producer, client, stream
        words = [b"XADD", stream.encode(), b"*", b"data", ENVELOPE]
        packed = [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        self._add = b"*%d\r\n" % len(words) + b"".join(packed)

    async def hop(self) -> float:
        """Return how long one signal takes."""
        await asyncio.sleep(REST)
        arrived = self.post.expect(1)
        began = time.perf_counter()
        self._producer.write(self._add)
        return await arrived - began

    async def backlog(self) -> float:
        """Return what each of many signals takes that are there already."""
        await asyncio.sleep(REST)
        arrived = self.post.expect(BACKLOG)
        await self._client.eval(FILL, 1, self._stream, ENVELOPE, BACKLOG)
        began = time.perf_counter()
        seconds = (await arrived - began) / BACKLOG
        await self._client.xtrim(self._stream, maxlen=0)
        return seconds


@asynccontextmanager
async def line(port: int) -> AsyncIterator[Line]:
    """Open a bare line."""
    loop = asyncio.get_running_loop()
    transport, opened = await loop.create_connection(Line, echo.HOST, port)
    try:
        yield opened
    finally:
        transport.close()


@asynccontextmanager
async def echoing() -> AsyncIterator[Line]:
    """Start an echo in a process of its own, and open a line to it."""
    command = (sys.executable, "-m", echo.__name__)
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    try:
        async with line(int(await server.stdout.readline())) as opened:
            yield opened
    finally:
        server.kill()
        await server.communicate()


@asynccontextmanager
async def ours(
    server: RedisServer, stream: str, read: Callable[[bytes], Incoming]
) -> AsyncIterator[Consumed]:
    """Let our source take signals from a stream."""
    settings = RedisSettings(url=server.url, stream=stream, count=BATCH, block_seconds=PATIENCE)
    signals = RedisSignals(settings, address=read_address(server.url), read=read)
    post = Goalpost()
    client = aioredis.Redis.from_url(server.url)
    async with line(server.port) as producer, client, alongside(signals.run(post.take)):
        yield Consumed(stream, post, producer, client)


@asynccontextmanager
async def by_redis_py(server: RedisServer, stream: str) -> AsyncIterator[Consumed]:
    """Let the library's own client take entries from a stream, unread."""
    post = Goalpost()
    client = aioredis.Redis.from_url(server.url, socket_timeout=None)  # it blocks for longer
    await client.xgroup_create(stream, "group", mkstream=True)

    async def consume() -> None:
        while True:
            found: Any = await client.xreadgroup(
                "group", "consumer", {stream: ">"}, count=BATCH, block=round(PATIENCE * 1_000)
            )
            for _, entries in found:
                for _ in entries:
                    post.arrive()
                await client.xack(stream, "group", *(entry_id for entry_id, _ in entries))

    filler = aioredis.Redis.from_url(server.url)
    async with line(server.port) as producer, client, filler, alongside(consume()):
        yield Consumed(stream, post, producer, filler)


def echoed(one: Stage, peer: Line) -> tuple[Sample, Sample]:
    """Return what an envelope costs there and back: alone, and in batches."""

    async def alone() -> float:
        await asyncio.sleep(REST)
        back = peer.expect(len(ENVELOPE))
        began = time.perf_counter()
        peer.write(ENVELOPE)
        return await back - began

    async def in_batches() -> float:
        began = time.perf_counter()
        for _ in range(BACKLOG // BATCH):
            back = peer.expect(BATCH * len(ENVELOPE))
            peer.write(ENVELOPE * BATCH)
            await back
        return (time.perf_counter() - began) / BACKLOG

    return one.sample(alone), one.sample(in_batches)


def tables() -> Iterator[Table]:
    """Measure signals one at a time, then a backlog."""
    reader = partial(read_envelope, source="redis", keys={KEY_ID: KEY})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(folder))
        one = stack.enter_context(stage())
        alone, in_batches = echoed(one, one.open(echoing()))
        hop = one.open(ours(server, "unread", lambda _: CLAIM))
        whole = one.open(ours(server, "read", reader))
        peer = one.open(by_redis_py(server, "peer"))
        peers = (version("redis"),)
        yield Table(
            title=f"one signal of {len(ENVELOPE)} bytes, XADD to `take`",
            rows={
                "TCP echo": alone,
                "hop": one.sample(hop.hop),
                "hop, signature checked": one.sample(whole.hop),
                "redis-py, unread": one.sample(peer.hop),
            },
            goals=(Goal("hop", 2.5, of="TCP echo"),),
            peers=peers,
            rounds=ONE_AT_A_TIME,
            warm_up=50,
        )
        yield Table(
            title=f"each of {BACKLOG:,} signals in a backlog, batches of {BATCH}",
            rows={
                "TCP echo": in_batches,
                "hop": one.sample(hop.backlog),
                "hop, signature checked": one.sample(whole.backlog),
                "redis-py, unread": one.sample(peer.backlog),
            },
            peers=peers,
            rounds=8,
            warm_up=1,
        )
