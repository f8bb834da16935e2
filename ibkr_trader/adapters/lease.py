"""One trader per account, on however many machines: a lease on Redis with a fencing epoch.

The holder has `key`, which runs out by itself after `ttl_seconds` unless it is renewed. Whether
we still hold it is judged here, by our own clocks, from before the last renewal was sent, and
ends a fifth of the time before the server's own count does: a holder that hears nothing stops
before anybody else can start. A machine that slept is found out by its wall clock, since the
monotonic one may stand still meanwhile; a wall clock that jumps ahead loses the lease, which
is the safe side. Once lost, a lease is lost: only `acquire` brings another, with a new epoch.

The epoch grows by one with each acquisition, in the same script, so whoever keeps the highest
one that it has seen can tell an old holder by it. Nothing here stops an old holder's order at
the broker: IBKR knows no epochs. It must be written where others can look.

What this does not promise:

- A server that was flushed, restored or replaced by a copy that lagged behind has forgotten
  holders and epochs. Every machine remembers the highest epoch it has seen, in a file, and
  takes none that is not higher: acquiring is denied as `BEHIND` until a person has made sure
  that nobody trades, and has set the counter. A machine that has seen none cannot know. The
  old holder learns of it at its next renewal, at the latest after a third of `ttl_seconds`.
- After a failover to a copy that had not heard of the lease, two may hold it until then. One
  server that writes every command to its disk (`appendfsync always`) has no such gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.lease_memory import EpochMemory, MemoryUnusable
from ibkr_trader.adapters.redis_link import GARBLED, RedisTrouble
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.text import plain
from ibkr_trader.execution.tasks import heed_cancellation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from ibkr_trader.adapters.redis_link import RedisLink, Word
    from ibkr_trader.execution.ports import Clock

# Who holds it, if not we; else the epoch. Whoever asks again after a lost answer has it already.
# The counter is read before anything is written: if it is no counter, nothing was done.
_ACQUIRE = """
local holder, last = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) or '0'
if holder and holder ~= ARGV[1] then return {'held', holder, redis.call('PTTL', KEYS[1])} end
if not string.match(last, '^%d+$') then return redis.error_reply('ERR the epoch is no number') end
if holder then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return {'granted', last}
end
if tonumber(last) < tonumber(ARGV[3]) then return {'behind', last} end
local epoch = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return {'granted', string.format('%.0f', epoch)}
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
_MARGIN = 5  # parts of a lease, of which the last is not used
_RENEWALS = 3  # in the time of a lease
_ATTEMPTS = 10  # in the same time, while the server is in trouble or somebody else holds it


class Why(StrEnum):
    """Why a lease was not granted."""

    HELD = "held"  # somebody has it
    BEHIND = "behind"  # the server has forgotten epochs that this machine has seen
    UNREACHABLE = "unreachable"  # the server, or what it was asked for
    MEMORY = "memory"  # the file with the highest epoch


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The lease is ours, under this epoch, for as long as `Lease.held` says."""

    epoch: int


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """The lease is not ours."""

    why: Why
    message: str
    hint: str = ""
    holder: str = ""  # who has it, and since when

    @property
    def is_hopeless(self) -> bool:
        """Whether waiting is of no use: a person has to see to it."""
        return self.why in {Why.BEHIND, Why.MEMORY}


class Lease:
    """Holds one lease, or does not.

    `acquire` it, run `keep` beside what depends on it, ask `held` before every step that does,
    and `release` it: `leading.py` does all of that. One task at a time, besides `held`.

    Args:
        link: The server, used for nothing else.
        key: Which lease: one account's, the same on every machine.
        ttl_seconds: For how long the server keeps it for a holder that says nothing.
        memory: The file that keeps the highest epoch seen; its folder is made private.
        owner: What others are told of the holder, as `host/1234`.
        clock: Our own machine's, never the gateway's.
        on_lost: Called once, with the reason, when a lease that was granted is lost.
        sleep: Waits for so many seconds of `clock`.
    """

    def __init__(
        self,
        link: RedisLink,
        *,
        key: str,
        ttl_seconds: float,
        memory: Path,
        owner: str,
        clock: Clock,
        on_lost: Callable[[str], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._link = link
        self._key = key
        self._ttl = ttl_seconds
        self._memory = EpochMemory(memory, key)
        self._owner = owner
        self._clock = clock
        self._on_lost = on_lost
        self._sleep = sleep
        self._epoch = 0
        self._token = ""
        self._asked = self._now()
        self._trouble = ""

    @property
    def held(self) -> bool:
        """Whether the lease is ours at this very moment, as far as our clocks know."""
        return self._epoch > 0 and self._left() > 0

    async def acquire(self, *, wait: float = 0.0) -> Grant | Denial:
        """Ask for the lease until it is ours, for `wait` seconds.

        Raises:
            InvariantBroken: If it is ours already.
        """
        if self._epoch:
            raise InvariantBroken("a lease that is held was asked for")
        since = self._clock.now().strftime("%Y-%m-%d %H:%M:%S UTC")
        self._token = f"{self._owner} (since {since})/{secrets.token_hex(16)}"
        until = self._clock.monotonic() + wait
        try:
            return await self._ask_until(until)
        except BaseException:  # whoever gives up waiting leaves nothing behind
            await self.release()
            raise

    async def _ask_until(self, until: float) -> Grant | Denial:
        while True:
            asked = self._now()
            answer = await self._try(asked)
            heed_cancellation()  # or whoever stands by would do so for ever
            left = until - self._clock.monotonic()
            if isinstance(answer, Grant):
                return answer
            if answer.is_hopeless or left <= 0:
                await self.release()  # what was asked for without an answer may be ours
                return answer
            await self._sleep(min(left, self._ttl / _ATTEMPTS))

    async def keep(self) -> None:
        """Renew the lease until it is lost; returns then, after `on_lost`."""
        pause = self._ttl / _RENEWALS
        while self._epoch:
            await self._sleep(max(0.0, min(pause, self._left())))
            asked, left = self._now(), self._left()
            renewed = await self._within(left, self._renew()) if left > 0 else None
            if self._left() <= 0:  # be it that an answer came after all: somebody saw it lost
                self._lose(f"it was not renewed in time: {self._trouble or 'no answer'}")
            elif renewed:
                self._asked, pause = asked, self._ttl / _RENEWALS
            elif renewed is None:
                pause = self._ttl / _ATTEMPTS
            else:
                self._lose("somebody else has it, or the server has forgotten us")

    async def release(self) -> None:
        """Let others have it at once; if the server cannot be told, it runs out by itself."""
        token, self._token, self._epoch = self._token, "", 0
        if token:
            with contextlib.suppress(RedisTrouble):
                await self._ask(_RELEASE, (self._key,), token)
        await self._link.close()

    async def _try(self, asked: _Reading) -> Grant | Denial:
        keys = (self._key, f"{self._key}:epoch")
        try:
            seen = self._memory.highest()
            said = await self._ask(_ACQUIRE, keys, self._token, self._milliseconds, seen)
            answer = _answer(said, seen=seen, key=self._key)
            if isinstance(answer, Denial):
                return answer
            self._memory.note(answer.epoch)
        except MemoryUnusable as error:
            return Denial(why=Why.MEMORY, message=f"no lease: {error}", hint=error.hint)
        except RedisTrouble as trouble:
            return Denial(why=Why.UNREACHABLE, message=f"no lease: {trouble}")
        self._asked = asked
        if self._left() <= 0:
            return Denial(why=Why.UNREACHABLE, message="no lease: it was granted too late")
        self._epoch = answer.epoch
        return answer

    async def _renew(self) -> bool | None:
        """Whether it was renewed; None if nobody knows."""
        try:
            self._trouble = ""
            answer = await self._ask(_RENEW, (self._key,), self._token, self._milliseconds)
        except RedisTrouble as trouble:
            self._trouble = str(trouble)
            return None
        return bool(answer == 1)

    async def _ask(self, script: str, keys: tuple[str, ...], *words: Word) -> Any:
        if not self._link.is_open:
            await self._link.open()
        return await self._link.ask("EVAL", script, len(keys), *keys, *words)

    async def _within(self, seconds: float, work: Coroutine[Any, Any, bool | None]) -> bool | None:
        """What `work` comes to, if that is within so many seconds of our clock."""
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(work)
            waiting = tasks.create_task(_slept(self._sleep, seconds))
            await asyncio.wait({asking, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            asking.cancel()
        return None if asking.cancelled() else asking.result()

    def _lose(self, reason: str) -> None:
        self._epoch, self._token = 0, ""
        self._on_lost(reason)

    # -- time ---------------------------------------------------------------------------

    @property
    def _milliseconds(self) -> int:
        return round(self._ttl * 1_000)

    def _now(self) -> _Reading:
        return _Reading(seconds=self._clock.monotonic(), at=self._clock.now())

    def _left(self) -> float:
        """For how long the lease is ours if nothing more is heard, by the less patient clock."""
        now, since = self._now(), self._asked
        elapsed = max(now.seconds - since.seconds, (now.at - since.at).total_seconds())
        return self._ttl - self._ttl / _MARGIN - elapsed


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Both clocks at one moment."""

    seconds: float
    at: datetime


def _answer(said: Any, *, seen: int, key: str) -> Grant | Denial:
    """What the script said.

    Raises:
        RedisTrouble: If it was another one.
    """
    match said:
        case [b"held", bytes() as holder, int() as left]:
            owner = plain(holder.decode("utf-8", errors="replace").rpartition("/")[0])
            until = f"for {left / 1_000:.1f} s yet" if left >= 0 else "and it never runs out"
            message = f"no lease: {owner or 'somebody'} has it, {until}"
            return Denial(why=Why.HELD, message=message, holder=owner)
        case [b"granted", bytes() as epoch] if epoch.isdigit():
            return Grant(epoch=int(epoch))
        case [b"behind", bytes() as epoch] if epoch.isdigit():
            told = f"epoch {int(epoch)} is the server's last, and {seen} was seen here"
            hint = f"the server has lost data: once nobody trades, SET {key}:epoch {seen}"
            return Denial(why=Why.BEHIND, message=f"no lease: {told}", hint=hint)
        case _:
            raise RedisTrouble(GARBLED, "the script of the lease was answered with something else")


async def _slept(sleep: Callable[[float], Awaitable[object]], seconds: float) -> None:
    await sleep(seconds)
