from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ibkr_trader.adapters import journal_schema
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.execution import long_reading
from ibkr_trader.execution.long_reading import TURN, every_message
from ibkr_trader.execution.tasks import alongside
from tests.adapters.journal_parts import note, open_journal

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


async def test_what_is_written_meanwhile_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_reading, "TURN", 1)
    monkeypatch.setattr(journal_schema, "_PAGE", 1)  # a full page has another after it
    with open_journal(tmp_path / "sim" / "journal.db") as journal:
        journal.append([note(str(number)) for number in range(1, 6)])
        monkeypatch.setattr(long_reading, "RECORDS", 3)
        heard = []
        async for message in long_reading.recent(journal):
            heard.append(message)
            assert len(heard) <= 3, "a busy desk would be read for ever"
            journal.append([note("9")])
    assert heard == [note("3"), note("4"), note("5")]
