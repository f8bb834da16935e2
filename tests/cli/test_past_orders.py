"""A day's orders cost what the day has, however old the journal is."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli import past_orders as past
from tests.adapters.journal_parts import NOW, note, order, submit


def journal(days: int, *, each: int) -> MemoryJournal:
    """Return one of so many days, the last of them today."""
    found = MemoryJournal()
    for day in range(days):
        at = NOW - timedelta(days=days - 1 - day)
        found.append([submit(order("memo", day + 1, day + 1))])  # a command has no time
        found.append([msgspec.structs.replace(note(), at=at) for _ in range(each - 1)])
    return found


def test_all_of_the_day_is_behind_the_beginning_and_little_else() -> None:
    since = NOW - timedelta(hours=3)
    for each in (1_000, 2_500, 7_000):
        found = journal(8, each=each)
        number = past.beginning(found, since)
        assert 0 < number <= 7 * each
        assert 8 * each - number <= max(1_000, 4 * each)


def test_a_young_journal_is_read_from_its_beginning() -> None:
    since = NOW - timedelta(hours=3)
    assert past.beginning(MemoryJournal(), since) == 0
    assert past.beginning(journal(1, each=5_000), since) == 0
