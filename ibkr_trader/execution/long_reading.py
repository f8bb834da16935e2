"""A long journal, read beside the work that goes on: everybody else gets a turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.core import events as ev
    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.ports import Journal

TURN = 100  # records that are read before others get a turn
RECORDS = 20_000  # of a journal's end, where that is enough


async def every_message(journal: Journal) -> AsyncIterator[Command | ev.BaseEvent]:
    """Yield all that a journal has, oldest first.

    Raises:
        JournalError: If it is damaged.
    """
    for number, message in journal.messages():
        yield message
        if not number % TURN:
            await asyncio.sleep(0)


async def recent(journal: Journal) -> AsyncIterator[Command | ev.BaseEvent]:
    """Yield the end of a journal that is written meanwhile.

    What is written after it began is left out: at a desk that is busy it would never end.

    Raises:
        JournalError: If it is damaged.
    """
    newest = journal.state.last_record
    for number, message in journal.messages(since=max(0, newest - RECORDS)):
        if number > newest:
            return
        yield message
        if not number % TURN:
            await asyncio.sleep(0)
