"""Signals from a Redis stream: each one handed over until it is settled, then acknowledged.

An entry's field `data` holds an envelope (`envelope.py`). It is acknowledged once the journal
has the decision, so a crash of ours, of Redis or of the network in between loses nothing: the
entry is delivered again, and the desk says that it has seen it. What is no signal, what the
desk refuses and what was delivered too often goes to the stream of dead letters as well.

Entries are handed over in the order of the stream. One that could not be written down holds up
those behind it, and is handed over again after a pause. Nothing is read ahead of a batch.

Deliveries count: an entry that was handed to us more often than `max_deliveries` and was never
finished is taken for what ends the process each time, and is not looked at any more.

Consumers of one group share a stream, so two traders who are both to have every signal need
two groups. A consumer's name must be the same after a restart and nobody else's meanwhile; it is
the machine's name unless one is given.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import time
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.redis_link import RedisLink, RedisTrouble
from ibkr_trader.adapters.settings import keys_of, read_settings
from ibkr_trader.adapters.signals.envelope import read_envelope
from ibkr_trader.adapters.signals.health import Health, nobody
from ibkr_trader.adapters.signals.redis_settings import RedisSettings
from ibkr_trader.adapters.signals.redis_stream import (
    FIRST,
    DeadLetter,
    Entry,
    Names,
    SignalStream,
)
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.core.pauses import growing
from ibkr_trader.core.signals import DUPLICATE, POISON, Malformed
from ibkr_trader.core.text import plain
from ibkr_trader.execution.tasks import heed_cancellation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from ibkr_trader.adapters.redis_address import RedisAddress
    from ibkr_trader.core.signals import Incoming, SignalReply

    Take: TypeAlias = Callable[[Incoming], Awaitable[SignalReply]]

logger = logging.getLogger(__name__)

PATH = "signals.redis"
_FIRST_PAUSE = 0.25


class RedisSignals:
    """A consumer of one stream, which meets `SignalSource`.

    Args:
        settings: Which streams, and how patient to be.
        address: The server.
        read: What the field `data` of an entry claims.
        monotonic: Seconds on a clock that never jumps.
        sleep: Waits for so many seconds.
        chance: A number from 0 to 1, for pauses that are not everybody's.
    """

    def __init__(
        self,
        settings: RedisSettings,
        *,
        address: RedisAddress,
        read: Callable[[bytes], Incoming],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._counts: Counter[str] = Counter()
        names = Names(
            stream=settings.stream,
            group=settings.group,
            consumer=settings.consumer or socket.gethostname(),
            dead=settings.dead,
        )
        link = RedisLink(address, patience=settings.timeout_seconds)
        self._stream = SignalStream(link, names, count=settings.count)
        self._read = read
        self._monotonic = monotonic
        self._sleep = sleep
        self._chance = chance
        self._health = Health(settings.name, say=nobody)
        self._is_well = False  # this connection has been read from
        self._wrong = ""  # the trouble that was told last
        self._unburied = ""  # why dead letters cannot be written, as it was told last

    @property
    def name(self) -> str:
        """What its signals are called by."""
        return self._settings.name

    @property
    def trouble(self) -> str:
        """Why nothing comes of it; empty while it is well."""
        return self._health.trouble

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of entries, and how often the server had to be dialled anew.

        Of entries: `taken`, `refused`, `duplicate`, `kept`, `dead`, `deleted`; of the server:
        `failures`.
        """
        return dict(self._counts)

    async def run(self, take: Take, *, say: Callable[[str], None] = nobody) -> None:
        """Hand over entries until it is cancelled, whatever becomes of the server."""
        self._health = Health(self.name, say=say, monotonic=self._monotonic)
        failures = 1
        while True:
            self._is_well = False
            try:
                async with self._stream.opened():
                    await self._serve(take)
            except RedisTrouble as trouble:
                failures = 1 if self._is_well else failures + 1
                self._tell(trouble)
            heed_cancellation()
            await self._sleep(self._pause(failures))

    async def _serve(self, take: Take) -> None:
        look_at = self._monotonic()
        while True:
            if self._monotonic() >= look_at:
                await self._recover(take)
                look_at = self._monotonic() + self._settings.recover_seconds
            entries = await self._stream.read_new(wait=self._settings.block_seconds)
            heed_cancellation()  # what was read is pending, and is ours after a restart
            self._tell_well()
            await self._settle(entries, take)

    async def _recover(self, take: Take) -> None:
        """Settle what was delivered and never finished: ours, and that of the dead."""
        self._count_deleted(await self._stream.claim_idle(idle=self._settings.claim_after_seconds))
        after = FIRST
        while entries := await self._stream.read_pending(after):
            after = entries[-1].entry_id
            if not await self._settle(entries, take):
                return  # what cannot be put aside now would only be refused over and over

    async def _settle(self, entries: Sequence[Entry], take: Take) -> bool:
        """Hand over a batch in order, then acknowledge it; return whether nothing of it is left.

        The server is not asked before all of it is handed over, so a server that dies
        meanwhile takes nothing with it that we had read.
        """
        batch = _Batch(there for there in entries if not there.is_deleted)
        batch.done += [gone for gone in entries if gone.is_deleted]
        self._count_deleted(len(batch.done))
        held_until = self._monotonic() + self._settings.claim_after_seconds / 2
        tries = 1
        while batch.waiting:
            heed_cancellation()
            if self._monotonic() >= held_until:
                # Others will soon take us for dead, and no entry is to be handed over by two.
                await self._finish(batch)
                batch.waiting = deque(await self._stream.still_ours(batch.waiting))
                held_until = self._monotonic() + self._settings.claim_after_seconds / 2
            elif await self._hand_over(batch, take):
                tries = 1
            else:
                pause = min(self._pause(tries), self._settings.claim_after_seconds / 4)
                tries += 1
                await self._sleep(pause)
        return await self._finish(batch)

    async def _hand_over(self, batch: _Batch, take: Take) -> bool:
        """Hand over the first entry of a batch; return whether that is final."""
        entry = batch.waiting[0]
        incoming = self._incoming(entry)
        reply = await take(incoming)
        if not reply.is_final:
            self._counts["kept"] += 1
            return False
        batch.waiting.popleft()
        what = DUPLICATE if reply.code == DUPLICATE else "refused" if reply.code else "taken"
        self._counts[what] += 1
        if isinstance(incoming, Malformed):
            letter = DeadLetter(entry=entry, code=incoming.code, message=incoming.message)
            batch.letters.append(letter)
        elif what == "refused" and self._settings.bury_refused:
            message = plain("; ".join(reply.reasons))
            batch.letters.append(DeadLetter(entry=entry, code=reply.code, message=message))
        else:
            batch.done.append(entry)
        return True

    def _incoming(self, entry: Entry) -> Incoming:
        if entry.deliveries > self._settings.max_deliveries:
            message = f"it was delivered {entry.deliveries} times and never finished"
            return Malformed(source=self.name, message=message, code=POISON)
        if entry.data is None:
            return Malformed(source=self.name, message="the entry has no field `data`")
        incoming = self._read(entry.data)
        if isinstance(incoming, Malformed) or incoming.issued_at is not None:
            return incoming
        if entry.at is None:
            message = "it does not say when it was made, and its entry's id is no time"
            return Malformed(source=self.name, message=message, signal_id=incoming.signal_id)
        return msgspec.structs.replace(incoming, issued_at=entry.at)

    async def _finish(self, batch: _Batch) -> bool:
        """Acknowledge what is done with; return whether every dead letter could be written."""
        await self._stream.acknowledge(batch.done)
        batch.done.clear()
        buried: list[Entry] = []
        for letter in batch.letters:
            try:
                await self._stream.bury(letter, most=self._settings.most_dead)
            except RedisTrouble as trouble:
                if not trouble.is_refusal:
                    raise
                self._tell_unburied(trouble)
                break
            buried.append(letter.entry)
            self._counts["dead"] += 1
            self._unburied = ""
        await self._stream.acknowledge(buried)
        is_all = len(buried) == len(batch.letters)
        batch.letters.clear()
        return is_all

    def _pause(self, failures: int) -> float:
        """How long to wait before another attempt: longer each time, and not all at once."""
        most = self._settings.max_backoff_seconds
        return growing(failures, first=_FIRST_PAUSE, most=most) * (1 + self._chance()) / 2

    # -- what is told: each change once ---------------------------------------------------

    def _tell(self, trouble: RedisTrouble) -> None:
        self._counts["failures"] += 1
        if trouble.code != self._wrong:
            logger.warning("no signals from %s: %s", self.name, trouble)
        self._wrong = trouble.code
        self._health.worsen(trouble.words)

    def _tell_well(self) -> None:
        self._is_well = True
        if self._wrong:
            logger.warning("signals from %s come again", self.name)
        self._wrong = ""
        self._health.mend()

    def _tell_unburied(self, trouble: RedisTrouble) -> None:
        if trouble.code != self._unburied:
            message = "%s: dead letters cannot be written, their entries stay pending: %s"
            logger.warning(message, self.name, trouble)
        self._unburied = trouble.code

    def _count_deleted(self, count: int) -> None:
        if count:
            self._counts["deleted"] += count
            logger.warning("%s: %d pending entries were deleted unseen", self.name, count)


class _Batch:
    """What was read together: what waits to be handed over, and what became of the rest."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.waiting = deque(entries)
        self.done: list[Entry] = []
        self.letters: list[DeadLetter] = []


@SOURCES.register("redis")
def redis(values: Mapping[str, Any]) -> RedisSignals:
    """Make the source from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
        ConfigError: If the client library is not installed.
    """
    settings = read_settings(values, RedisSettings, path=PATH)
    address = settings.address(path=PATH)
    keys = keys_of(settings.keys, path=f"{PATH}.keys")
    read = partial(read_envelope, source=settings.name, keys=keys)
    return RedisSignals(settings, address=address, read=read)
