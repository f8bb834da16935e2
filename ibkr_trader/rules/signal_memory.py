"""Which signals were taken: a fold over what the journal has of them.

Only what was taken must be known again: whatever was refused would be refused again, or does no
harm. A signal that says when it was made is remembered for twice as long as the oldest may be;
after that it is stale. One that does not is remembered for a week. So the memory stays small,
and a checkpoint can carry it.

A prediction that stands has neither name nor time: polled again and again it is one signal, on
one day, until another wish takes its place. Before anything was done about it, a higher
confidence is news; after that, nothing is, however its figures move. An exit that failed or was
refused may come again a minute later: it is still wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.signals import SeenSignal, StandingSignal
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.rules.admission import OLDEST
from ibkr_trader.rules.taken import Taken

if TYPE_CHECKING:
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.signals import Claim

DATED_FOR = 2 * OLDEST  # whoever were let to be older would repeat them
UNDATED_FOR = timedelta(days=7)
MINUTE = timedelta(minutes=1)
_ZONE = ZoneInfo(NEW_YORK)  # a prediction that stands is another one on another day there
_NOTHING_SENT = frozenset({Outcome.NOTHING, Outcome.REFUSED})
MOST = 20_000  # keys; beyond it the oldest go, which only a flood of undated ones can reach


class SignalMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of signals that were taken.

    Attributes:
        seen: The last moment at which each (source, id) matters, the newest last.
        sequences: The highest number taken of each source that counts.
        lately: When signals of each source were taken, within about a minute: those that only
            end something by themselves.
        open: Those of which nobody has said what came of them.
        standing: By source and ticker, the prediction that stands.
    """

    seen: Mapping[tuple[str, str], datetime] = MappingProxyType({})
    sequences: Mapping[str, int] = MappingProxyType({})
    lately: Mapping[tuple[str, bool], tuple[datetime, ...]] = MappingProxyType({})
    open: Mapping[tuple[str, str], Taken] = MappingProxyType({})
    standing: Mapping[tuple[str, str], StandingSignal] = MappingProxyType({})

    def knows(self, source: str, signal_id: str) -> bool:
        """Whether a signal of that name was taken."""
        return (source, signal_id) in self.seen

    def stands(self, claim: Claim, now: datetime) -> bool:
        """Whether a prediction that stands was taken before, and says nothing new since."""
        known = self._standing(claim)
        if known is None or known.failed:
            return False
        if now.astimezone(_ZONE).date() != known.at.astimezone(_ZONE).date():
            return False
        return known.acted or claim.confidence <= known.confidence

    def rests(self, claim: Claim, now: datetime) -> bool:
        """Whether it is an exit that has failed a moment ago: it is still wanted, but not yet."""
        known = self._standing(claim)
        return known is not None and known.failed and now - known.at < MINUTE

    def is_wanted(self, event: Taken) -> bool:
        """Whether what a taken signal wished did not come about, and may be wished again."""
        known = self.standing.get((event.source, event.ticker))
        is_standing = isinstance(event, ev.PredictionSignalEvent) and event.is_standing
        return is_standing and known is not None and known.failed

    def _standing(self, claim: Claim) -> StandingSignal | None:
        known = self.standing.get((claim.source, claim.ticker))
        return known if known is not None and known.signal == claim.action.value else None

    def taken_lately(self, source: str, now: datetime, *, exits: bool = False) -> int:
        """Return how many of a source were taken within the minute before `now`."""
        return sum(1 for at in self.lately.get((source, exits), ()) if now - at < MINUTE)

    def after(self, event: BaseEvent) -> SignalMemory:
        """Return the memory after `event`; the same object if it says nothing of signals."""
        match event:
            case ev.PredictionSignalEvent() | ev.FlowThresholdEvent():
                return self._with(event)
            case ev.SignalEndEvent():
                return self._ended(event)
            case ev.CheckpointEvent():
                return msgspec.structs.replace(
                    self,
                    seen={(one.source, one.signal_id): one.until for one in event.signals},
                    sequences=event.sequences,
                    open={key_of(one): one for one in event.open_signals},
                    standing={(one.source, one.ticker): one for one in event.standing},
                )
            case _:
                return self

    def kept(self, now: datetime) -> tuple[SeenSignal, ...]:
        """Return what a checkpoint keeps of the names."""
        return tuple(
            SeenSignal(source=source, signal_id=signal_id, until=until)
            for (source, signal_id), until in self.seen.items()
            if until > now
        )

    def _with(self, event: Taken) -> SignalMemory:
        seen = {key: until for key, until in self.seen.items() if until > event.at}
        seen[key_of(event)] = self._until(event)
        kind = (event.source, _is_exit(event))
        lately = (at for at in self.lately.get(kind, ()) if event.at - at < MINUTE)
        sequences = self.sequences
        if event.sequence is not None:
            last = sequences.get(event.source, event.sequence)
            sequences = {**sequences, event.source: max(last, event.sequence)}
        return msgspec.structs.replace(
            self,
            seen=dict(islice(seen.items(), max(0, len(seen) - MOST), None)),
            sequences=sequences,
            lately={**self.lately, kind: (*lately, event.at)},
            open={**self.open, key_of(event): event},
            standing=self._standing_with(event),
        )

    def _standing_with(self, event: Taken) -> Mapping[tuple[str, str], StandingSignal]:
        if not (isinstance(event, ev.PredictionSignalEvent) and event.is_standing):
            return self.standing
        one = StandingSignal(
            source=event.source,
            ticker=event.ticker,
            signal=event.signal,
            confidence=event.confidence,
            at=event.at,
        )
        return {**self.standing, (event.source, event.ticker): one}

    def _ended(self, event: ev.SignalEndEvent) -> SignalMemory:
        key = key_of(event)
        rest = {other: one for other, one in self.open.items() if other != key}
        news, place = self.open.get(key), (event.source, event.ticker)
        standing = self.standing
        if isinstance(news, ev.PredictionSignalEvent) and news.is_standing and place in standing:
            standing = {**standing, place: _concluded(standing[place], event.outcome)}
        return msgspec.structs.replace(self, open=rest, standing=standing)

    def _until(self, event: Taken) -> datetime:
        if event.issued_at is None:
            return event.at + UNDATED_FOR
        return max(event.at, event.issued_at) + DATED_FOR


def _concluded(one: StandingSignal, outcome: Outcome) -> StandingSignal:
    """What stands, once it is known what came of it; an exit that did not come about is due."""
    if SignalAction(one.signal).is_exit and outcome in {Outcome.FAILED, Outcome.REFUSED}:
        return msgspec.structs.replace(one, failed=True)
    return msgspec.structs.replace(one, acted=outcome not in _NOTHING_SENT)


def _is_exit(event: Taken) -> bool:
    return isinstance(event, ev.PredictionSignalEvent) and SignalAction(event.signal).is_exit


def key_of(event: ev.OptionsFlowEvent) -> tuple[str, str]:
    """Return what names a signal for good."""
    return (event.source, event.signal_id)
