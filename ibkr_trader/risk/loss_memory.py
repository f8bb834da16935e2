"""What was said of the day's losses, so that nothing is said, or halted, twice for one loss.

A fold over `LossEvent`s and resumptions. Each level counts once a day, for the account and for
each symbol. After a halt for a loss that a person has ended, the loss is counted from what it
then was: only a tenth of the limit more, or the next day, halts again; else nobody could resume.
If the loss has meanwhile shrunk below the limit, the limit itself halts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from types import MappingProxyType

import msgspec

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import LossEvent, StateEvent
from ibkr_trader.risk.loss_levels import DayLoss, LossLevel

_LONGEST_DAY = timedelta(hours=25)
AGAIN = Decimal("0.10")  # of the limit: so much more is lost before it halts again


class LossStep(Enum):
    """What is due because of a loss."""

    NOTHING = auto()
    TELL = auto()
    HALT = auto()
    ACCEPT = auto()  # somebody has resumed: note what the loss was


class LossMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The last that was told of each loss, by symbol (with dots: `BRK.B`); empty is the account."""

    told: Mapping[str, LossEvent] = MappingProxyType({})

    @classmethod
    def restored(cls, events: Iterable[LossEvent]) -> LossMemory:
        """Return the memory as a checkpoint has it."""
        return cls(told={_key(event.symbol): event for event in events})

    def after(self, event: LossEvent | StateEvent) -> LossMemory:
        """Return the memory after one more event; the same if it says nothing of losses."""
        if isinstance(event, LossEvent):
            return LossMemory(told={**self.told, _key(event.symbol): event})
        known = self.told.get(_key(event.symbol))
        if event.state is not TradingState.ACTIVE or known is None:
            return self
        if known.level < LossLevel.HALTED:
            return self
        resumed = msgspec.structs.replace(known, is_resumed=True)
        return LossMemory(told={**self.told, _key(event.symbol): resumed})

    def step(self, lost: DayLoss, *, since: datetime) -> LossStep:
        """Return what is due because of a loss on the day that began at `since`."""
        known = self.told.get(_key(lost.symbol))
        # The simulator's clock may have been set back: what is ahead of the day is of another.
        if known is None or not since <= known.at < since + _LONGEST_DAY:
            return _first(lost.level)
        if known.is_resumed:
            return LossStep.ACCEPT
        if lost.level <= known.level < LossLevel.HALTED:
            return LossStep.NOTHING
        if known.level < LossLevel.HALTED:
            return _first(lost.level)
        from_here = _again(known.loss, lost.limit)
        return LossStep.HALT if lost.loss >= from_here else LossStep.NOTHING


def again_at(lost: DayLoss) -> Decimal:
    """Return the loss that halts again once somebody has resumed at `lost`."""
    return _again(lost.loss, lost.limit)


def _again(loss: Decimal, limit: Decimal) -> Decimal:
    return loss + limit * AGAIN if loss >= limit else limit


def _key(symbol: str) -> str:
    """A symbol as halts have it."""
    return symbol.replace(" ", ".")


def _first(level: LossLevel) -> LossStep:
    if level is LossLevel.NONE:
        return LossStep.NOTHING
    return LossStep.HALT if level is LossLevel.HALTED else LossStep.TELL
