"""A consumer group of a Redis stream, in the words of those who take signals from it.

What is read belongs to us until it is acknowledged; the server keeps count of how often it was
delivered. A consumer that dies leaves its entries pending: whoever asks for them after a while
has them. The commands needed are XGROUP CREATE, XREADGROUP, XACK, XADD, XPENDING, XAUTOCLAIM
and XCLAIM, so a user of the server that may do nothing else, on these two streams, is enough.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.redis_link import GARBLED, RedisTrouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from ibkr_trader.adapters.redis_link import RedisLink, Word

GONE = frozenset({"NOGROUP", "UNBLOCKED"})  # the group, or its stream, is there no more
FIRST = b"0"  # before every id
_EXCERPT = 1_024  # bytes of a dead letter's content
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLAIM_TURNS = 10_000  # calls that one look for abandoned entries may take


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as it was delivered.

    Attributes:
        entry_id: The stream's own name for it.
        data: Its field `data`; None if it has none.
        is_deleted: Somebody removed or trimmed it before it was acknowledged.
        deliveries: How often it was delivered, this time included.
    """

    entry_id: bytes
    data: bytes | None = None
    is_deleted: bool = False
    deliveries: int = 1

    @property
    def at(self) -> datetime | None:
        """When the server had it, by its id; None if that is no time at all."""
        try:
            return _EPOCH + timedelta(milliseconds=_milliseconds(self.entry_id))
        except OverflowError:  # an id that a producer made up
            return None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is put aside for a person to look at, and why."""

    entry: Entry
    code: str
    message: str


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Which streams, and who we are in the group."""

    stream: str
    group: str
    consumer: str
    dead: str


class SignalStream:
    """The stream as this consumer sees it.

    Every method raises `RedisTrouble` if the server does not do what it is asked.
    """

    def __init__(self, link: RedisLink, names: Names, *, count: int) -> None:
        self._link = link
        self._names = names
        self._count = count
        self._refusal: RedisTrouble | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Be connected for the length of the block, with the group (and the stream) there.

        A group that cannot be made may be there all the same, on a server that is full or
        lets us do no more than read: what it refused is told once there proves to be none.
        """
        names = self._names
        self._refusal = None
        try:
            await self._link.open()
            try:
                await self._link.ask("XGROUP", "CREATE", names.stream, names.group, "0", "MKSTREAM")
            except RedisTrouble as trouble:
                if not trouble.is_refusal:
                    raise
                if trouble.code != "BUSYGROUP":
                    self._refusal = trouble
            yield
        finally:
            await self._link.close()

    async def read_new(self, *, wait: float) -> list[Entry]:
        """Return what nobody had yet, waiting up to `wait` seconds for the first of it."""
        milliseconds = max(1, round(wait * 1_000))  # 0 would be for ever
        return await self._read(">", "BLOCK", milliseconds, wait=wait)

    async def read_pending(self, after: bytes) -> list[Entry]:
        """Return what we have had after the id `after` and not acknowledged, oldest first."""
        entries = await self._read(after)
        if not entries:
            return []
        counts = await self._pending(entries)
        return [
            msgspec.structs.replace(entry, deliveries=counts.get(entry.entry_id, 1))
            for entry in entries
        ]

    async def claim_idle(self, *, idle: float) -> int:
        """Make ours what other consumers have not acknowledged for `idle` seconds.

        Returns:
            How many entries had been deleted meanwhile: nobody will ever see those.
        """
        names, cursor, deleted = self._names, b"0-0", 0
        for _ in range(_CLAIM_TURNS):
            answer = await self._ask(
                "XAUTOCLAIM", names.stream, names.group, names.consumer, round(idle * 1_000),
                cursor, "COUNT", self._count, "JUSTID",
            )  # fmt: skip
            with _as_promised("XAUTOCLAIM"):
                cursor, _, *since_7 = answer
                _milliseconds(cursor)
                deleted += len(since_7[0]) if since_7 else 0
            if cursor == b"0-0":
                break
        return deleted

    async def still_ours(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those of `entries` that nobody has claimed, held by us from now on afresh."""
        counts = await self._pending(entries)
        ours = [entry for entry in entries if entry.entry_id in counts]
        if ours:
            names = self._names
            ids = [entry.entry_id for entry in ours]
            await self._ask("XCLAIM", names.stream, names.group, names.consumer, 0, *ids, "JUSTID")
        return ours

    async def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Have done with `entries`, in one command."""
        if entries:
            ids = [entry.entry_id for entry in entries]
            await self._link.ask("XACK", self._names.stream, self._names.group, *ids)

    async def bury(self, letter: DeadLetter, *, most: int) -> None:
        """Put a dead letter where a person finds it; the oldest go once there are `most`."""
        entry = letter.entry
        await self._link.ask(
            "XADD", self._names.dead, "MAXLEN", most, "*",
            "reason", letter.code,
            "message", letter.message,
            "id", entry.entry_id,
            "deliveries", entry.deliveries,
            "excerpt", (entry.data or b"")[:_EXCERPT],
        )  # fmt: skip

    async def _read(self, after: bytes | str, *options: str | int, wait: float = 0) -> list[Entry]:
        names = self._names
        answer = await self._ask(
            "XREADGROUP", "GROUP", names.group, names.consumer, "COUNT", self._count,
            *options, "STREAMS", names.stream, after, wait=wait,
        )  # fmt: skip
        if answer is None:
            return []
        with _as_promised("XREADGROUP"):
            return [_entry(entry_id, fields) for entry_id, fields in answer[0][1]]

    async def _pending(self, entries: Sequence[Entry]) -> dict[bytes, int]:
        """How often those of `entries` that are ours were delivered."""
        names = self._names
        rows = await self._ask(
            "XPENDING", names.stream, names.group, entries[0].entry_id, entries[-1].entry_id,
            len(entries), names.consumer,
        )  # fmt: skip
        with _as_promised("XPENDING"):
            return {entry_id: int(times) for entry_id, _, _, times in rows}

    async def _ask(self, *words: Word, wait: float = 0.0) -> Any:
        try:
            return await self._link.ask(*words, wait=wait)
        except RedisTrouble as trouble:
            if trouble.code in GONE and self._refusal is not None:
                raise self._refusal from None
            raise


@contextmanager
def _as_promised(command: str) -> Iterator[None]:
    """Take an answer apart that may be none of Redis's."""
    try:
        yield
    except (AttributeError, IndexError, TypeError, ValueError):
        message = f"{command} was answered with something else than it promises"
        raise RedisTrouble(GARBLED, message) from None


def _entry(entry_id: Any, fields: Any) -> Entry:
    _milliseconds(entry_id)
    if fields is None:
        return Entry(entry_id=entry_id, is_deleted=True)
    found = dict(zip(fields[::2], fields[1::2], strict=True))
    return Entry(entry_id=entry_id, data=found.get(b"data"))


def _milliseconds(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
