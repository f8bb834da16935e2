"""A stream with its producer, and a desk that takes signals from it as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.redis_address import RedisAddress, read_address
from ibkr_trader.adapters.signals.envelope import read_envelope, signed
from ibkr_trader.adapters.signals.health import nobody
from ibkr_trader.adapters.signals.redis_queue import RedisSignals
from ibkr_trader.adapters.signals.redis_settings import RedisSettings
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import Incoming, Malformed, SignalReply
from ibkr_trader.execution.tasks import alongside
from tests.adapters.redis_parts import PATIENCE, Hand

STREAM, DEAD, GROUP, US = "signals:ingress", "signals:dead", "ibkr-trader", "us"
KEY_ID, KEY = "k1", b"a-key-that-both-sides-know"
AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
ACTED = SignalReply(outcome=Outcome.ACTED)
DUPLICATE = SignalReply(outcome=Outcome.REFUSED, code="duplicate")
KEPT = SignalReply(outcome=Outcome.FAILED, is_final=False)
STALE = SignalReply(outcome=Outcome.REFUSED, code="stale", reasons=("it is", "an hour old"))


class Desk:
    """Takes signals: the first of an id is acted upon, a second one has been seen.

    Attributes:
        taken: Everything that was handed over.
        replies: What is said first, by signal id, one after the other.
        gate: Closed, it keeps every answer back.
    """

    def __init__(self) -> None:
        self.taken: list[Incoming] = []
        self.replies: dict[str, list[SignalReply]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self._seen: set[str] = set()
        self._news = asyncio.Condition()

    async def take(self, incoming: Incoming) -> SignalReply:
        """Answer as told, or as a desk does."""
        self.taken.append(incoming)
        async with self._news:
            self._news.notify_all()
        await self.gate.wait()
        if scripted := self.replies.get(incoming.signal_id):
            return scripted.pop(0)
        if not isinstance(incoming, Malformed) and incoming.signal_id in self._seen:
            return DUPLICATE
        self._seen.add(incoming.signal_id)
        if isinstance(incoming, Malformed):
            return SignalReply(outcome=Outcome.REFUSED, code=incoming.code)
        return ACTED

    async def has(self, count: int) -> list[Incoming]:
        """Return what was handed over, once it is so much."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.taken) >= count)
        return self.taken

    @property
    def ids(self) -> list[str]:
        """The ids of what was handed over, in order."""
        return [one.signal_id for one in self.taken]


class Pauses:
    """Sleeps no longer than it takes others to have their turn, and notes how long it was to be."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.before: Callable[[], None] = lambda: None

    async def sleep(self, seconds: float) -> None:
        """Note a pause."""
        self.asked.append(seconds)
        self.before()
        await asyncio.sleep(0)


class Post:
    """The producer's side, and what the server knows of the consumers."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand

    def send(self, *ids: str, entry_id: str = "*", **fields: Any) -> list[bytes]:
        """Add one envelope for each id; return the entries' names."""
        return [self.add(data=envelope(one, **fields), entry_id=entry_id) for one in ids]

    def add(self, *, entry_id: str = "*", **fields: str | bytes) -> bytes:
        """Add one entry as it is; return its name."""
        words = [word for pair in fields.items() for word in pair]
        answer: bytes = self.hand.do("XADD", STREAM, entry_id, *words)
        return answer

    def group(self) -> None:
        """Make the group before anybody is there."""
        self.hand.do("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")

    def deliver(self, consumer: str, *, count: int = 10, after: str = ">") -> list[bytes]:
        """Read as a consumer that then does nothing; return the entries' names."""
        answer = self.hand.do(
            "XREADGROUP", "GROUP", GROUP, consumer, "COUNT", count, "STREAMS", STREAM, after
        )
        return [entry_id for entry_id, _ in answer[0][1]] if answer else []

    def age(self, consumer: str, seconds: float, *ids: bytes) -> None:
        """Let pending entries have been delivered so long ago."""
        milliseconds = round(seconds * 1_000)
        words = ("IDLE", milliseconds, "JUSTID")
        self.hand.do("XCLAIM", STREAM, GROUP, consumer, 0, *ids, *words)

    def pending(self, consumer: str | None = None) -> list[bytes]:
        """The entries that were delivered and not acknowledged."""
        words = ("XPENDING", STREAM, GROUP, "-", "+", 1_000_000)
        rows = self.hand.do(*words, *([consumer] if consumer else []))
        return [row[0] for row in rows]

    def is_settled(self) -> bool:
        """Whether everything was delivered and acknowledged."""
        info = dict(zip(*[iter(self.hand.do("XINFO", "GROUPS", STREAM)[0])] * 2, strict=True))
        newest = self.hand.do("XREVRANGE", STREAM, "+", "-", "COUNT", 1)
        is_read = not newest or info[b"last-delivered-id"] == newest[0][0]
        return bool(info[b"pending"] == 0 and is_read)

    def letters(self) -> list[dict[bytes, bytes]]:
        """The dead letters, oldest first."""
        answer = self.hand.do("XRANGE", DEAD, "-", "+")
        return [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in answer]


def envelope(signal_id: str, **changes: Any) -> bytes:
    """Return a signed envelope."""
    fields = {
        "v": 1, "id": signal_id, "source": "redis", "ts": AT, "symbol": "AAPL", "action": "BUY",
        "confidence": Decimal("0.8"), **changes,
    }  # fmt: skip
    return signed(fields, key_id=KEY_ID, key=KEY)


def source(
    address: RedisAddress | str,
    *,
    clock: ManualClock | None = None,
    pauses: Pauses | None = None,
    read: Callable[[bytes], Incoming] | None = None,
    chance: float = 1.0,
    **settings: Any,
) -> RedisSignals:
    """Return a source that is told of something new within a moment, on a clock of the test's."""
    if isinstance(address, str):
        address = read_address(address)
    told = {"consumer": US, "block_seconds": 0.05, **settings}
    return RedisSignals(
        msgspec.convert(told, RedisSettings),
        address=address,
        read=read or partial(read_envelope, source="redis", keys={KEY_ID: KEY}),
        monotonic=(clock or ManualClock(AT)).monotonic,
        sleep=(pauses or Pauses()).sleep,
        chance=lambda: chance,
    )


@asynccontextmanager
async def running(
    signals: RedisSignals, desk: Desk, *, say: Callable[[str], None] = nobody
) -> AsyncIterator[None]:
    """Let a desk take signals for the length of the block."""
    async with alongside(signals.run(desk.take, say=say)):
        yield
