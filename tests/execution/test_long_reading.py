from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.execution.long_reading import TURN, every_message
from ibkr_trader.execution.tasks import alongside

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


async def test_everything_is_read_and_others_get_their_turns() -> None:
    journal, turns = MemoryJournal(), 0
    events = [ev.TimeEvent(at=AT) for _ in range(3 * TURN + 1)]
    journal.append(events)

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with alongside(work()):
        assert [one async for one in every_message(journal)] == events
        assert turns == 3
