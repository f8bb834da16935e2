"""Which signals were taken: a fold over what the journal has of them.

Only what was taken must be known again: whatever was refused would be refused again, or does no
harm. A signal that says when it was made is remembered for twice as long as the oldest may be;
after that it is stale. One that does not is remembered for a week: a prediction that is
polled again and again is one signal. So the memory stays small, and a checkpoint can carry it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.signals import SeenSignal
from ibkr_trader.rules.admission import OLDEST
from ibkr_trader.rules.taken import Taken

if TYPE_CHECKING:
    from ibkr_trader.core.events import BaseEvent

DATED_FOR = 2 * OLDEST  # whoever were let to be older would repeat them
UNDATED_FOR = timedelta(days=7)
MINUTE = timedelta(minutes=1)
MOST = 20_000  # keys; beyond it the oldest go, which only a flood of undated ones can reach


class SignalMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of signals that were taken.

    Attributes:
        seen: The last moment at which each (source, id) matters, the newest last.
        sequences: The highest number taken of each source that counts.
        lately: When signals of each source were taken, within about a minute.
        open: Those of which nobody has said what came of them.
    """

    seen: Mapping[tuple[str, str], datetime] = MappingProxyType({})
    sequences: Mapping[str, int] = MappingProxyType({})
    lately: Mapping[str, tuple[datetime, ...]] = MappingProxyType({})
    open: Mapping[tuple[str, str], Taken] = MappingProxyType({})

    def knows(self, source: str, signal_id: str) -> bool:
        """Whether a signal of that name was taken."""
        return (source, signal_id) in self.seen

    def taken_lately(self, source: str, now: datetime) -> int:
        """Return how many of a source were taken within the minute before `now`."""
        return sum(1 for at in self.lately.get(source, ()) if now - at < MINUTE)

    def after(self, event: BaseEvent) -> SignalMemory:
        """Return the memory after `event`; the same object if it says nothing of signals."""
        match event:
            case ev.PredictionSignalEvent() | ev.FlowThresholdEvent():
                return self._with(event)
            case ev.SignalEndEvent():
                rest = {key: one for key, one in self.open.items() if key != key_of(event)}
                return msgspec.structs.replace(self, open=rest)
            case ev.CheckpointEvent():
                return msgspec.structs.replace(
                    self,
                    seen={(one.source, one.signal_id): one.until for one in event.signals},
                    sequences=event.sequences,
                    open={key_of(one): one for one in event.open_signals},
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
        lately = (at for at in self.lately.get(event.source, ()) if event.at - at < MINUTE)
        sequences = self.sequences
        if event.sequence is not None:
            last = sequences.get(event.source, event.sequence)
            sequences = {**sequences, event.source: max(last, event.sequence)}
        return msgspec.structs.replace(
            self,
            seen=dict(islice(seen.items(), max(0, len(seen) - MOST), None)),
            sequences=sequences,
            lately={**self.lately, event.source: (*lately, event.at)},
            open={**self.open, key_of(event): event},
        )

    def _until(self, event: Taken) -> datetime:
        if event.issued_at is None:
            return event.at + UNDATED_FOR
        return max(event.at, event.issued_at) + DATED_FOR


def key_of(event: ev.OptionsFlowEvent) -> tuple[str, str]:
    """Return what names a signal for good."""
    return (event.source, event.signal_id)
