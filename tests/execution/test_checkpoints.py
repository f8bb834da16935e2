"""Resting points in the journal of a trader that stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.execution import checkpoints
from ibkr_trader.execution.checkpoints import LONG, Checkpoints
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import Floor, FullDisk, request


def marks(journal: MemoryJournal) -> int:
    return sum(isinstance(message, ev.CheckpointEvent) for _, message in journal.messages())


async def test_nothing_new_needs_no_mark() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        kept = Checkpoints(trader)
        floor.clock.advance(2 * LONG)
        floor.move(trader, "150.00", "150.02")  # prices are not written down
        assert not kept.is_due


async def test_a_little_is_marked_after_a_while() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        kept = Checkpoints(trader)
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert not kept.is_due
        floor.clock.advance(LONG)
        assert kept.is_due
        kept.mark()
        assert not kept.is_due
        assert marks(journal) == 1
        floor.clock.advance(LONG)
        assert not kept.is_due  # the mark itself is nothing new


async def test_much_is_marked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MANY", 4)
    floor = Floor()
    async with floor.trader() as trader:
        kept = Checkpoints(trader)
        desk = Desk(trader)
        await desk.submit_order(request(limit="140.00"))
        await desk.submit_order(request(limit="141.00"))
        assert kept.is_due


async def test_what_the_disk_still_owes_comes_first() -> None:
    floor, journal = Floor(), FullDisk("k7qav")
    async with floor.trader(journal=journal) as trader:
        kept = Checkpoints(trader)
        resting = await Desk(trader).submit_order(request(limit="140.00"))
        floor.clock.advance(LONG)
        journal.is_full = True
        await Desk(trader).cancel_order(resting.order_id)
        assert not kept.is_due
        journal.is_full = False


async def test_a_restart_after_a_kill_reads_from_the_mark_on(tmp_path: Path) -> None:
    floor = Floor()
    with SqliteJournal(tmp_path / "journal.db", clock=floor.clock) as journal:
        async with floor.trader(journal=journal) as trader:
            await a_day(floor, trader, journal)


async def a_day(floor: Floor, trader: Trader, journal: SqliteJournal) -> None:
    desk = Desk(trader)
    for _ in range(5):
        order = await desk.submit_order(request(limit="140.00"))
        await desk.cancel_order(order.order_id)
    held = await desk.submit_order(request(), wait=Wait.FILLED)
    floor.clock.advance(LONG + 1)  # what came to nothing just now is remembered for a while
    Checkpoints(trader).mark()
    resting = await desk.submit_order(request(limit="139.00"))
    survived = list(journal.resume())  # what a restart finds, should we be killed now
    ids = {m.order_id for m in survived if isinstance(m, ev.NewOrderEvent)}
    assert ids == {resting.order_id}
    (mark,) = [message for message in survived if isinstance(message, ev.CheckpointEvent)]
    assert [fill.order_id for fill in mark.fills] == [held.order_id]


async def test_what_is_more_than_a_day_old_is_let_go() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        floor.clock.advance(2 * 86_400)
        Checkpoints(trader).mark()
        assert trader.portfolio.fills, "the broker may tell them again"
        await trader.recovery.synchronize()
        Checkpoints(trader).mark()
        assert not trader.portfolio.fills
        assert [int(p.quantity) for p in trader.portfolio.positions.values()] == [10]
