"""One sink's lane: what waits for it, how it is told, and what becomes of that.

A sink that is down or slow keeps its own lane waiting and nothing else. What is more than the
limit is dropped, the oldest first, and counted: the newest is worth most to whoever comes back.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.errors import SinkRefused, SinkUnavailable, TraderError
from ibkr_trader.core.text import plain
from ibkr_trader.execution.tasks import heed_cancellation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.execution.ports import Clock, PayloadSink
    from ibkr_trader.portfolio.payloads import Payload

logger = logging.getLogger(__name__)
_CLOSING = 1.0  # seconds to let go of a connection


class EgressRules(msgspec.Struct, frozen=True, kw_only=True):
    """How sinks are told.

    Attributes:
        limit: Payloads that may wait for one sink.
        batch: How many are handed over at once.
        emit_timeout: Seconds to take them.
        first_pause, longest_pause: Seconds before the next attempt after one that failed; each
            pause is twice as long as the one before it.
        farewell: Seconds at the end for what still waits.
        quiet: Seconds in which a sink that comes and goes is told of only once.
        snapshot_every: Seconds between two snapshots of the figures, at the least.
    """

    limit: int = 10_000
    batch: int = 100
    emit_timeout: float = 5.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    farewell: float = 1.0
    quiet: float = 60.0
    snapshot_every: float = 5.0


class SinkStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How one sink stands.

    Attributes:
        is_up: Whether the last attempt succeeded; None before the first.
        is_fenced: It has failed in a way that nobody foresaw, and is told nothing any more.
        waiting: Payloads that it has yet to take.
        sent, dropped, refused: How many it took, missed because too many waited, and did not want.
        last_error: What went wrong last.
    """

    name: str
    is_up: bool | None = None
    is_fenced: bool = False
    waiting: int = 0
    sent: int = 0
    dropped: int = 0
    refused: int = 0
    last_error: str = ""


class Lane:
    """What one sink is told.

    Args:
        sink: Whom to tell.
        rules: How.
        clock: For what must not be said too often.
        say: Is told in words when the sink goes down, comes back, or is given up.
        settle: Is called before the last words: what was heard by then shall be among them.
    """

    def __init__(
        self,
        sink: PayloadSink,
        rules: EgressRules,
        *,
        clock: Clock,
        say: Callable[[str], None],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._sink, self._rules, self._clock = sink, rules, clock
        self._say, self._settle = say, settle
        self._waiting: deque[Payload] = deque()
        self._flying: tuple[Payload, ...] = ()  # handed over, and not yet known to be taken
        self._wake = asyncio.Event()
        self._is_up: bool | None = None
        self._is_fenced = False
        self._sent = self._dropped = self._refused = 0
        self._missed = 0  # dropped since the sink was up
        self._error = ""
        self._told_at: float | None = None  # when its troubles were spoken of last
        self._is_told = False  # that it is down, and nobody has said yet that it is back

    @property
    def standing(self) -> SinkStanding:
        """How the sink stands now."""
        return SinkStanding(
            name=self._sink.name,
            is_up=self._is_up,
            is_fenced=self._is_fenced,
            waiting=len(self._waiting) + len(self._flying),
            sent=self._sent,
            dropped=self._dropped,
            refused=self._refused,
            last_error=self._error,
        )

    def put(self, payload: Payload) -> None:
        """Have the sink told of `payload`, when it is its turn."""
        if self._is_fenced:
            return
        if len(self._waiting) >= self._rules.limit:
            self._waiting.popleft()
            self.miss(1)
        self._waiting.append(payload)
        self._wake.set()

    def miss(self, count: int) -> None:
        """Count what the sink will never be told."""
        self._dropped += count
        self._missed += count

    async def work(self) -> None:
        """Tell the sink, again and again, until it is given up; at the end for a moment more."""
        try:
            pause = self._rules.first_pause
            while not self._is_fenced:
                await self._next()
                is_well = await self._tell()
                heed_cancellation()
                if is_well:
                    pause = self._rules.first_pause
                elif not self._is_fenced:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, self._rules.longest_pause)
        except asyncio.CancelledError:
            await self._part()
            raise
        finally:
            await self._close()

    async def _next(self) -> None:
        """Wait until there is something to tell, and take as much as is told at once."""
        while not (self._flying or self._waiting):
            self._wake.clear()
            await self._wake.wait()
        self._take()

    def _take(self) -> None:
        if not self._flying:
            count = min(self._rules.batch, len(self._waiting))
            self._flying = tuple(self._waiting.popleft() for _ in range(count))

    async def _tell(self) -> bool:
        """Hand over what is due; return whether the sink is well."""
        try:
            async with asyncio.timeout(self._rules.emit_timeout):
                await self._sink.emit(self._flying)
        except SinkRefused as error:
            self._refuse(error)
        except SinkUnavailable as error:
            self._down(error.message)
            return False
        except TimeoutError:
            self._down(f"no answer within {self._rules.emit_timeout:g} s")
            return False
        except Exception as error:  # noqa: BLE001 - a sink is foreign to trading: it stays in it
            self._fence(error)
            return False
        else:
            self._sent += len(self._flying)
        self._flying = ()
        self._up()
        return True

    def _refuse(self, error: SinkRefused) -> None:
        self._error = plain(error.message)
        if not self._refused:
            self._say(f"{self._sink.name} does not take what it is told: {self._error}")
        self._refused += len(self._flying)
        logger.warning("%s refused %d: %s", self._sink.name, len(self._flying), self._error)

    def _up(self) -> None:
        name, missed = self._sink.name, f"{self._missed} of the oldest were dropped"
        if self._is_up is False:
            words = f"{name} is told again what happens" + (f"; {missed}" if self._missed else "")
            logger.info("%s", words)
            if self._is_told or self._missed:
                self._say(words)
            self._is_told, self._missed = False, 0
        elif self._missed and self._may_say():
            self._say(f"{name} is too slow: {missed}")
            self._missed = 0
        self._is_up = True

    def _may_say(self) -> bool:
        """Whether it is long enough ago that something was said of the sink's troubles."""
        now = self._clock.monotonic()
        if self._told_at is not None and now - self._told_at < self._rules.quiet:
            return False
        self._told_at = now
        return True

    def _down(self, why: str) -> None:
        self._error = plain(why)
        if self._is_up is not False:
            logger.warning("%s is down: %s", self._sink.name, self._error)
            if self._may_say():
                self._is_told = True
                self._say(f"{self._sink.name} is down: {self._error}; trading goes on without it")
        self._is_up = False

    def _fence(self, error: Exception) -> None:
        """Give the sink up: what nobody foresaw would only happen again."""
        self._is_up, self._is_fenced = False, True
        # The words of a foreign exception may hold anything, a secret too: its kind is enough.
        words = f": {error.message}" if isinstance(error, TraderError) else ""
        self._error = plain(f"it failed with {type(error).__name__}{words}")
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("%s is given up: %s\n%s", self._sink.name, self._error, where)
        self.miss(len(self._waiting) + len(self._flying))
        self._waiting.clear()
        self._flying = ()
        self._say(f"{self._sink.name} is told nothing any more: {self._error}; see the log")

    async def _part(self) -> None:
        """Tell what still waits, for a moment, unless the sink is down."""
        self._settle()
        try:
            async with asyncio.timeout(self._rules.farewell):
                self._take()
                while self._flying and await self._tell():
                    self._take()
        except TimeoutError:
            pass
        if left := len(self._waiting) + len(self._flying):
            logger.warning("%s was never told of the last %d", self._sink.name, left)

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(_CLOSING):
                await self._sink.close()
        except TimeoutError:
            logger.warning("%s does not let go", self._sink.name)
        except Exception as error:  # noqa: BLE001 - as in `_tell`
            logger.warning("%s could not be closed: %s", self._sink.name, type(error).__name__)
