"""A day's orders cost what the day has; what is older is found all the same, by whoever asks."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli import explaining
from ibkr_trader.cli import past_orders as past
from ibkr_trader.core.events import CheckpointEvent
from ibkr_trader.execution import long_reading
from ibkr_trader.execution.desk import Desk
from tests.adapters.journal_parts import NOW, note, order, submit
from tests.execution.parts import INSTALL, START, Floor, request


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


async def test_what_is_older_than_the_end_of_the_journal_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(long_reading, "RECORDS", 20)
    monkeypatch.setattr(explaining, "RECORDS", 20)
    journal = MemoryJournal(INSTALL)
    async with Floor().trader(journal=journal) as trader:
        desk = Desk(trader, timeout=5)
        first = await desk.submit_order(request(limit="140"))
        await desk.cancel_order(first.order_id)
    journal.append([CheckpointEvent(at=START, live=()), *(note() for _ in range(30))])
    async with Floor().trader(journal=journal) as trader:
        desk = Desk(trader, timeout=5)
        second = await desk.submit_order(request(limit="141"))
        assert trader.portfolio.order(first.order_id) is None
        for name in (first.order_id, "1-single", "1"):
            found = await past.on_record(desk, name)
            assert [one.order_id for one in found.orders] == [first.order_id], name
            told = "\n".join(await explaining.recall(desk, name, utc=True))
            assert "sent 1-single BUY 10 AAPL LIMIT 140.00" in told, name
        assert not (await past.on_record(desk, "1-single", only_recent=True)).orders
        (near,) = (await past.on_record(desk, "aapl")).orders
        assert near.order_id == second.order_id
