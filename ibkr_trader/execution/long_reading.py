"""A long journal, read beside the work that goes on: everybody else gets a turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.core import events as ev
    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.ports import Journal

TURN = 500  # records that are read before others get a turn


async def every_message(journal: Journal) -> AsyncIterator[Command | ev.BaseEvent]:
    """Yield all that a journal has, oldest first.

    Raises:
        JournalError: If it is damaged.
    """
    for number, message in journal.messages():
        yield message
        if not number % TURN:
            await asyncio.sleep(0)
