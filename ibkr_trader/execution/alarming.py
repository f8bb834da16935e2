"""Tells people of what they must hear, again and again until one of them takes note.

It stands beside the order path. What is heard is laid aside and looked at a moment later; who is
told is told in a lane of its own, so that a messenger that is slow, dead or wrong costs nothing
but its message. Each alarm is on record, and so is who took note: the next trader goes on with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.accounts import masked, without_accounts
from ibkr_trader.core.errors import NotifyFailed
from ibkr_trader.core.pauses import growing
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.execution.tasks import heed_cancellation
from ibkr_trader.portfolio.alarms import Standing, Trouble, heard, leaving, looked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader

logger = logging.getLogger(__name__)
BEAT = 1.0  # seconds between two looks at what only time brings to light
_MOST_HEARD = 1_000
_AGAIN = 30.0  # seconds until a message that did not get through is tried again
_FAREWELL = 3.0  # seconds at the end for what nobody has been told yet
_SHOWN = 10  # alarms in one message


class Notifier(Protocol):
    """Who carries a message to people."""

    async def notify(self, title: str, body: str) -> None:
        """Hand over one message.

        Raises:
            NotifyFailed: If it was not taken everywhere.
        """


class AlarmRules(msgspec.Struct, frozen=True, kw_only=True):
    """How people are told.

    Attributes:
        repeat: Seconds until an alarm is told again; each pause is twice as long as the last.
        longest: And never longer than this.
        patience: Seconds for one message.
    """

    repeat: float = 300.0
    longest: float = 1_800.0
    patience: float = 15.0

    @classmethod
    def of_minutes(cls, repeat: float, longest: float) -> AlarmRules:
        """Return rules with these two, in minutes."""
        return cls(repeat=repeat * 60, longest=longest * 60)


class Told(msgspec.Struct, frozen=True):
    """How often an alarm was told, when (by the monotonic clock) it is due again, and as what."""

    times: int = 0
    due: float = 0.0
    as_over: bool = False

    def is_due(self, now: float, *, is_over: bool) -> bool:
        """Whether to tell it now: in its turn, or at once because it has ended."""
        return self.due <= now or (is_over and not self.as_over)


class Alarming:
    """Keeps the alarms of a trader, and tells them.

    Attributes:
        notifier: Who carries messages; None if nobody does: then alarms are only shown.
        rules: How people are told.
        stays: Whether it also goes on with what others have left; a command that ends at once
            tells only what it has found itself.
        trouble: Why the last message did not get through; empty if it did.
    """

    def __init__(self, trader: Trader) -> None:
        self.notifier: Notifier | None = None
        self.rules = AlarmRules()
        self.stays = False
        self.trouble = ""
        self._trader = trader
        self._heard: deque[Trouble] = deque(maxlen=_MOST_HEARD)
        self._wake, self._due = asyncio.Event(), asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._told: dict[str, Told] = {}
        self._found: set[str] = set()  # the keys of what has shown here
        self._leaving_since: dict[OrderId, datetime] = {}
        self._apart_since: datetime | None = None
        self._gone_since: datetime | None = None
        trader.bus.subscribe(ev.SystemEvent, self._hear)
        trader.own(self._work)
        trader.own(self._tell)

    @property
    def standing(self) -> tuple[ev.AlarmEvent, ...]:
        """What nobody has taken note of, oldest first."""
        return self._trader.remembered.alarms.kept

    def told(self, key: str) -> Told:
        """Return how often an alarm was told by this process."""
        return self._told.get(key, Told())

    def raise_alarm(self, trouble: Trouble) -> None:
        """Take up a trouble that somebody else has found."""
        self._heard.append(trouble)
        self._wake.set()

    def acknowledge(self, keys: Iterable[str], *, by: str, reason: str = "") -> tuple[str, ...]:
        """Note that a person knows of these alarms; return those that stood.

        Raises:
            JournalError: If it cannot be written down.
        """
        alarms, now = self._trader.remembered.alarms.standing, self._trader.clock.now()
        found = [alarms[key] for key in dict.fromkeys(keys) if key in alarms]
        seen = [
            msgspec.structs.replace(one, at=now, seen_by=by or "somebody", reason=reason)
            for one in found
        ]
        if seen:
            self._trader.record.write(seen)
        for one in seen:
            self._told.pop(one.key, None)
        return tuple(one.key for one in seen)

    async def part(self) -> None:
        """Tell, before the end, what nobody has been told yet; for seconds at most."""
        self._look()
        if any(not self.told(one.key).times for one in self._ripe()):
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self._send()  # or wait for what is on its way

    def _hear(self, event: ev.SystemEvent) -> None:
        """Lay a trouble aside: this runs within the event's delivery."""
        match event:
            case ev.DisconnectEvent(at=at, until=until):  # a restart that is due alarms nobody
                self._gone_since = self._gone_since or until or at
            case ev.SyncEvent():
                self._gone_since = None
            case _:
                pass
        trouble = heard(event)
        if trouble is not None:
            self.raise_alarm(trouble)

    async def _work(self) -> None:
        """Make alarms of troubles; never returns."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._wake.wait()
            self._wake.clear()
            self._look()

    def _look(self) -> None:
        trader, now = self._trader, self._trader.clock.now()
        drift = trader.portfolio.drift
        self._apart_since = (self._apart_since or now) if drift else None
        self._leaving_since = leaving(trader.portfolio, self._leaving_since, now)
        found = Standing(
            portfolio=trader.portfolio,
            now=now,
            apart_since=self._apart_since,
            gone_since=self._gone_since,
            unwritten="" if trader.record.is_complete else "the journal cannot be written",
            leaving_since=self._leaving_since,
        )
        alarms = trader.remembered.alarms
        lasting = [one for one in map(_safe, looked(found)) if alarms.is_news(one)]
        heard_now = [_safe(self._heard.popleft()) for _ in range(len(self._heard))]
        for trouble in (*heard_now, *lasting):
            self._strike(trouble, now)
        if self._ripe():
            self._due.set()

    def _strike(self, trouble: Trouble, now: datetime) -> None:
        alarms = self._trader.remembered.alarms
        known, alarm = alarms.standing.get(trouble.key), alarms.struck(trouble, now)
        if alarm is None:
            return
        self._found.add(alarm.key)
        if known is not None and known.is_over and not alarm.is_over:
            # Whoever was told that it is over must not believe so for a long pause.
            told, soon = self.told(alarm.key), self._trader.clock.monotonic() + self.rules.repeat
            self._told[alarm.key] = Told(told.times, min(told.due, soon), told.as_over)
        self._trader.record.witness([alarm])

    def _ripe(self) -> list[ev.AlarmEvent]:
        now = self._trader.clock.monotonic()
        ours = [one for one in self.standing if self.stays or one.key in self._found]
        return [one for one in ours if self.told(one.key).is_due(now, is_over=one.is_over)]

    async def _tell(self) -> None:
        """Carry what is due to people; never returns."""
        while True:
            self._due.clear()
            await self._due.wait()
            await self._send()
            heed_cancellation()

    async def _send(self) -> None:
        async with self._one_at_a_time:
            alarms = self._ripe()
            if self.notifier is None:
                self._note(alarms, is_told=False)
            elif alarms:
                await self._hand_over(self.notifier, alarms)

    async def _hand_over(self, notifier: Notifier, alarms: list[ev.AlarmEvent]) -> None:
        title, body = message_of(alarms, account=self._trader.account)
        try:
            async with asyncio.timeout(self.rules.patience):
                await notifier.notify(title, body)
        except (NotifyFailed, TimeoutError) as error:
            words = error.message if isinstance(error, NotifyFailed) else "no answer in time"
            self._failed(alarms, words)
        except Exception as error:  # a messenger is foreign to trading: it stays in it
            logger.exception("an alarm could not be told")
            self._failed(alarms, type(error).__name__)
        else:
            self.trouble = ""
            self._note(alarms, is_told=True)

    def _failed(self, alarms: list[ev.AlarmEvent], words: str) -> None:
        self.trouble = plain(words)
        logger.warning("an alarm did not get through: %s", self.trouble)
        self._note(alarms, is_told=False)

    def _note(self, alarms: list[ev.AlarmEvent], *, is_told: bool) -> None:
        now, rules = self._trader.clock.monotonic(), self.rules
        for alarm in alarms:
            times = self.told(alarm.key).times + is_told
            pause = growing(times, first=rules.repeat, most=rules.longest)
            due = now + (pause if is_told else min(_AGAIN, rules.repeat))
            self._told[alarm.key] = Told(times, due, alarm.is_over)


def message_of(alarms: list[ev.AlarmEvent], *, account: str) -> tuple[str, str]:
    """Return the title and the text of one message about alarms."""
    count = len(alarms)
    title = f"ibkr-trader {masked(account)}: " + ("an alarm" if count == 1 else f"{count} alarms")
    lines = [
        f"{one.since:%Y-%m-%d %H:%M:%S} UTC  {one.message}{' (it is over)' if one.is_over else ''}"
        for one in alarms[:_SHOWN]
    ]
    more = [f"and {count - _SHOWN} more"] if count > _SHOWN else []
    lines += [*more, "Until somebody says so, again: ibkr-trader ack --all"]
    return title, without_accounts("\n".join(lines))


def _safe(trouble: Trouble) -> Trouble:
    return trouble._replace(key=plain(trouble.key), message=plain(trouble.message, limit=SENTENCES))
