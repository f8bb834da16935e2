"""What the journal says, read beside its writer: no lock is taken, and no trader is disturbed."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ibkr_trader.config import Place
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.execution.ports import Journal

RECORDS = 20_000  # of the journal's end
STEP = 100  # records between two turns of everybody else


@contextmanager
def past_journal(place: Place) -> Iterator[SqliteJournal | None]:
    """Open a profile's journal to read it, for the length of the block; None if it has none.

    Raises:
        JournalError: If it is damaged.
    """
    if not place.journal.exists():
        yield None
        return
    with SqliteJournal(place.journal, clock=SystemClock(), read_only=True) as journal:
        yield journal


async def recent(journal: Journal) -> AsyncIterator[Command | BaseEvent]:
    """Yield the end of a journal that is written meanwhile, in steps that keep nobody waiting.

    What is written after it began is left out: at a desk that is busy it would never end.
    """
    newest = journal.state.last_record
    for number, message in journal.messages(since=max(0, newest - RECORDS)):
        if number > newest:
            return
        if number % STEP == 0:
            await asyncio.sleep(0)
        yield message
