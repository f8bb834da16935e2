"""What is halted, why, and since when: of everything, and of single symbols.

A fold over `StateEvent`s. What somebody halted, or a limit did, stays so until somebody
resumes it with a reason: no restart, signal or setting does. A cause that ends by itself
(out of sync, a full disk) is not kept here; the shell finds it each time it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import StateEvent
from ibkr_trader.core.models import Contract

EVERYTHING = ""
_RANK = {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}


class TradingSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """The halts in force, by symbol (with dots: `BRK.B`); `EVERYTHING` is the whole desk."""

    held: Mapping[str, StateEvent] = MappingProxyType({})

    @classmethod
    def restored(cls, events: Iterable[StateEvent]) -> TradingSwitch:
        """Return the switch as a checkpoint has it."""
        return cls(held={event.symbol: event for event in events})

    def after(self, event: StateEvent) -> TradingSwitch:
        """Return the switch as `event` leaves it; only ACTIVE, which is a resumption, loosens.

        What resumes everything leaves the symbols that were halted alone. Halting what is
        halted already changes nothing, unless more is to be cancelled or closed now than then;
        what was to be, still is.
        """
        if event.state is TradingState.ACTIVE:
            if event.symbol not in self.held:
                return self
            kept = {symbol: one for symbol, one in self.held.items() if symbol != event.symbol}
            return TradingSwitch(held=kept)
        known = self.held.get(event.symbol)
        if known is not None and not _is_kept(known, by=event):
            if not _is_stricter(event, than=known):
                return self
            event = _both(known, event)
        return TradingSwitch(held={**self.held, event.symbol: event})

    def of(self, contract: Contract) -> StateEvent | None:
        """Return the halt of its symbol alone, if there is one; with a stock, its options are."""
        keys = (ticker(contract), contract.symbol.replace(" ", "."))
        found = [self.held[key] for key in keys if key in self.held]
        return max(found, key=lambda event: _RANK[event.state], default=None)

    @property
    def everything(self) -> StateEvent | None:
        """What holds for the whole desk; None is ACTIVE."""
        return self.held.get(EVERYTHING)


def _is_stricter(event: StateEvent, *, than: StateEvent) -> bool:
    if event.state is not than.state:
        return _RANK[event.state] > _RANK[than.state]
    takes_back = than.keeps_entries and not event.keeps_entries
    return takes_back or (event.flattens and not than.flattens)


def _both(known: StateEvent, event: StateEvent) -> StateEvent:
    """What two halts of the same kind ask for, together; the later one says why."""
    if event.state is not known.state:
        return event
    return msgspec.structs.replace(
        event,
        keeps_entries=event.keeps_entries and known.keeps_entries,
        flattens=event.flattens or known.flattens,
    )


def _is_kept(known: StateEvent, *, by: StateEvent) -> bool:
    """Whether a halt is told again because what it promised to close is closed."""
    return known.flattens and by == msgspec.structs.replace(known, flattens=False)
