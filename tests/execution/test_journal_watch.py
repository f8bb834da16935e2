"""With a journal that is older than the world nothing is opened until a person has looked."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.events import ErrorEvent
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.journal_watch import ORIGIN, JournalWatch
from tests.execution.parts import Floor, request

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


def opened(folder: Path, floor: Floor) -> SqliteJournal:
    return SqliteJournal(folder / "sim" / "journal.db", clock=floor.clock, seen_in=folder / "state")


def state(trader: Trader) -> TradingState:
    return trader.outlook.view().trading_state


async def refused(trader: Trader) -> str:
    with pytest.raises(RiskCheckError) as caught:
        await Desk(trader).submit_order(request(limit="140.00"))
    return str(caught.value)


async def put_back(folder: Path, floor: Floor) -> None:
    """Trade on from a copy that was made before somebody halted for good."""
    with opened(folder, floor) as journal:
        async with floor.trader(journal=journal) as trader:
            assert state(trader) is TradingState.ACTIVE
        shutil.copytree(folder / "sim", folder / "backup")
    with opened(folder, floor) as journal:
        async with floor.trader(journal=journal) as trader:
            trader.halter.stop("for good", origin="cli")
    shutil.rmtree(folder / "sim")
    shutil.copytree(folder / "backup", folder / "sim")


async def test_an_older_copy_lets_a_desk_only_reduce_until_somebody_resumes(tmp_path: Path) -> None:
    floor = Floor()
    await put_back(tmp_path, floor)
    for _ in range(2):  # the doubt itself is on record, and a restart does not end it
        with opened(tmp_path, floor) as journal:
            async with floor.trader(
                journal=journal, equip=lambda one: JournalWatch(one, journal.seen).attach()
            ) as trader:
                assert state(trader) is TradingState.REDUCING
                assert "its folder is an older copy" in await refused(trader)
    with opened(tmp_path, floor) as journal:
        assert journal.seen is not None
        assert not journal.seen.doubt
        async with floor.trader(
            journal=journal, equip=lambda one: JournalWatch(one, journal.seen).attach()
        ) as trader:
            assert trader.outlook.book.switch.held[""].origin == ORIGIN
            trader.halter.resume("looked at all of it", origin="cli")
            assert state(trader) is TradingState.ACTIVE
            await Desk(trader).submit_order(request(limit="140.00"))


async def test_a_halt_hides_no_older_copy_from_whoever_ends_it(tmp_path: Path) -> None:
    floor = Floor()
    await put_back(tmp_path, floor)

    def halted(trader: Trader, journal: SqliteJournal) -> None:
        trader.halter.stop("its flag is there still", origin="cli")
        JournalWatch(trader, journal.seen).attach()

    for _ in range(2):  # nobody has looked: the next process does not forget it either
        with opened(tmp_path, floor) as journal:
            async with floor.trader(
                journal=journal, equip=lambda one: halted(one, journal)
            ) as trader:
                assert state(trader) is TradingState.HALTED
    with opened(tmp_path, floor) as journal:
        async with floor.trader(
            journal=journal, equip=lambda one: JournalWatch(one, journal.seen).attach()
        ) as trader:
            trader.halter.resume("it was for good", origin="cli")
            assert state(trader) is TradingState.REDUCING
            assert trader.outlook.book.switch.held[""].origin == ORIGIN
            assert await refused(trader)
            trader.halter.resume("looked at all of it", origin="cli")
            assert state(trader) is TradingState.ACTIVE


async def test_orders_of_ours_that_the_journal_never_gave_out_tell_of_an_older_one() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        for limit in ("149.00", "148.00"):
            await Desk(trader).submit_order(request(limit=limit))
    older = MemoryJournal("k7qav")  # no file of it is on this machine
    async with floor.trader(
        journal=older, equip=lambda one: JournalWatch(one, None).attach()
    ) as trader:
        assert state(trader) is TradingState.REDUCING
        assert "the journal: ends with order 0 here, order 2 at the broker" in await refused(trader)
        trader.halter.resume("they are known", origin="cli")
        await trader.recovery.synchronize()
        assert state(trader) is TradingState.ACTIVE  # told once


async def test_a_journal_that_knows_all_is_in_no_doubt() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    for limit in ("140.00", "139.00"):
        async with floor.trader(
            journal=journal, equip=lambda one: JournalWatch(one, None).attach()
        ) as trader:
            await Desk(trader).submit_order(request(limit=limit))
            await trader.recovery.synchronize()
            assert state(trader) is TradingState.ACTIVE


async def test_a_lost_sealed_file_is_told_and_keeps_nobody_from_anything(tmp_path: Path) -> None:
    floor = Floor()
    with opened(tmp_path, floor) as journal:
        journal.segment_bytes = 0
        async with floor.trader(journal=journal):
            pass
        assert journal.lost == ""
    (tmp_path / "sim" / "journal.db").unlink()
    told: list[ErrorEvent] = []

    def listen(trader: Trader, journal: SqliteJournal) -> None:
        trader.bus.subscribe(ErrorEvent, told.append)
        JournalWatch(trader, journal.seen, lost=journal.lost).attach()

    with opened(tmp_path, floor) as journal:
        async with floor.trader(
            journal=journal,
            equip=lambda one: listen(one, journal),
        ) as trader:
            assert state(trader) is TradingState.ACTIVE
    assert [(one.is_serious, "journal.db cannot be found" in one.message) for one in told] == [
        (True, True)
    ]
