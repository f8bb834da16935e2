"""What the journal says, read beside its writer: no lock is taken, and no trader is disturbed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.journal_file import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.config import Place


@contextmanager
def past_journal(place: Place) -> Iterator[SqliteJournal | None]:
    """Open a profile's journal to read it, for the length of the block; None if it has none.

    Raises:
        JournalError: If it is damaged.
    """
    if not newest(place.journal).exists():
        yield None
        return
    with SqliteJournal(place.journal, clock=SystemClock(), read_only=True) as journal:
        yield journal
