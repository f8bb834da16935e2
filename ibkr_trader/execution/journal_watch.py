"""A journal that is older than the world: only what reduces risk goes out until a person looks.

With an old copy a halt, a limit or a loss may be forgotten. What this machine had seen of the
journal tells; that the broker knows orders which the journal does not is drift
(`portfolio/reconciliation.py`), and stands against opening as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import ErrorEvent, StateEvent, SyncEvent
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader

ORIGIN = "the journal"
_CAUSE = "journal copy"
_ADVICE = "compare orders, halts and limits with what you know, then resume"


class Seen(Protocol):
    """What this machine remembers of the journal."""

    doubt: str

    def accept(self) -> None:
        """Take the journal as it is from now on."""


class JournalWatch:
    """Lets a desk only reduce while its journal is in doubt.

    Args:
        trader: Whose journal it is.
        seen: What this machine remembers of it; None if nothing is kept.
        lost: What of its past cannot be found. That is told, and stands against nothing: a
            desk needs none of it.
    """

    def __init__(self, trader: Trader, seen: Seen | None, *, lost: str = "") -> None:
        self._trader = trader
        self._seen = seen
        self._lost = lost

    def attach(self) -> None:
        """Stand against opening at once, and have it on record as soon as the trader runs."""
        if self._seen is not None and self._seen.doubt:
            self._trader.outlook.degrade(self._seen.doubt, cause=_CAUSE)
        self._trader.bus.subscribe(SyncEvent, self._note_sync)
        self._trader.bus.subscribe(StateEvent, self._note_state)

    def _note_sync(self, _: SyncEvent) -> None:
        """Put the doubt on record, where it stays until somebody resumes."""
        if self._lost:
            at, message = self._trader.clock.now(), f"{self._lost}: ibkr-trader audit verify"
            event = ErrorEvent(at=at, code=0, message=message, is_serious=True)
            self._trader.record.witness([event])
            self._lost = ""
        if self._seen is not None and self._seen.doubt:
            self._reduce(self._seen.doubt)
            held = self._trader.outlook.book.switch.held.get(EVERYTHING)
            if held is not None:
                self._accept(held)  # an earlier process has put it on record, and died

    def _note_state(self, event: StateEvent) -> None:
        """Take the journal as it is once that is on record, and speak up after a stricter halt.

        A halt that holds hides the doubt, and whoever ends it has heard nothing of it.
        """
        self._accept(event)
        is_over = event.state is TradingState.ACTIVE and event.symbol == EVERYTHING
        if is_over and self._seen is not None and self._seen.doubt:
            self._reduce(self._seen.doubt)

    def _accept(self, event: StateEvent) -> None:
        is_ours = event.state is TradingState.REDUCING and event.origin == ORIGIN
        if is_ours and self._seen is not None and self._trader.record.is_complete:
            self._seen.accept()
            self._trader.outlook.degrade("", cause=_CAUSE)

    def _reduce(self, doubt: str) -> None:
        self._trader.halter.reduce(f"{doubt}; {_ADVICE}", origin=ORIGIN)
