"""A journal that is older than the world: only what reduces risk goes out until a person looks.

With an old copy a halt, a limit or a loss may be forgotten. What this machine had seen of the
journal tells; that the broker knows orders which the journal does not is drift
(`portfolio/reconciliation.py`), and stands against opening as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ibkr_trader.core.events import ErrorEvent, SyncEvent

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

    def _note_sync(self, _: SyncEvent) -> None:
        """Put the doubt on record, where it stays until somebody resumes."""
        if self._lost:
            at, message = self._trader.clock.now(), f"{self._lost}: ibkr-trader audit verify"
            event = ErrorEvent(at=at, code=0, message=message, is_serious=True)
            self._trader.record.witness([event])
            self._lost = ""
        if self._seen is None or not self._seen.doubt:
            return
        self._reduce(self._seen.doubt)
        if self._trader.record.is_complete:
            self._seen.accept()
            self._trader.outlook.degrade("", cause=_CAUSE)

    def _reduce(self, doubt: str) -> None:
        self._trader.halter.reduce(f"{doubt}; {_ADVICE}", origin=ORIGIN)
