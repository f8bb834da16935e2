"""The flag outside the process: it halts the next review, goes on record, and is not outlived."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.execution import halter
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import INSTALL, Floor, request
from tests.execution.test_halter import denied, states, until_gone


async def test_a_flag_halts_the_very_next_review_and_is_put_on_record(tmp_path: Path) -> None:
    journal, path = MemoryJournal(INSTALL), tmp_path / "HALT"
    async with Floor().trader(journal=journal) as trader:
        trader.halter.watch(HaltFile(path))
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        path.write_text("fed day")
        assert "HALTED (fed day)" in trader_message(trader)  # before anybody has noticed
        within = 0.25 + 0.2  # the goal, and a slow machine
        assert await trader.until(lambda _: True if states(journal) else None, timeout=within)
        assert states(journal) == [("HALTED", "fed day", "the file HALT")]
        await until_gone(trader, order)
        path.unlink()  # a deleted flag resumes nothing
        assert "fed day" in await denied(trader)


def trader_message(trader: Trader) -> str:
    view = trader.outlook.view()
    return f"{view.trading_state} ({view.state_reason})"


async def test_a_flag_survives_the_journal(tmp_path: Path) -> None:
    floor, path = Floor(), tmp_path / "HALT"
    flag = HaltFile(path)
    flag.put("odd", origin="cli")
    async with floor.trader(journal=MemoryJournal("other")) as trader:
        trader.halter.watch(flag)
        assert "odd" in await denied(trader)


async def test_resuming_takes_away_the_flag_that_was_seen_and_no_newer_one(
    tmp_path: Path,
) -> None:
    journal, path = MemoryJournal(INSTALL), tmp_path / "HALT"
    async with Floor().trader(journal=journal) as trader:
        trader.halter.watch(flag := HaltFile(path))
        flag.put("odd", origin="cli")
        seen = trader.halter.notice()
        flag.put("odd again", origin="SIGUSR1")
        assert "halted again" in trader.halter.resume("checked", origin="cli", seen=seen)
        assert "odd again" in await denied(trader)
        seen = trader.halter.notice()
        assert trader.halter.resume("checked", origin="cli", seen=seen) == ""
        assert not path.exists()
        await asyncio.sleep(2 * halter.LOOK)  # and nobody halts it anew
        await Desk(trader).submit_order(request(1, limit="149.00"))


async def test_a_flag_that_nobody_has_seen_is_not_taken_away(tmp_path: Path) -> None:
    async with Floor().trader() as trader:
        trader.halter.watch(flag := HaltFile(tmp_path / "HALT"))
        trader.halter.stop("odd", origin="cli")
        flag.put("fresh", origin="cli")
        assert trader.halter.resume("checked", origin="cli", seen=None) == "fresh"
        assert "fresh" in trader_message(trader)


async def test_a_resumption_that_died_before_the_flag_was_gone_was_none(tmp_path: Path) -> None:
    floor, journal, flag = Floor(), MemoryJournal(INSTALL), HaltFile(tmp_path / "HALT")
    async with floor.trader(journal=journal) as trader:
        trader.halter.watch(flag)
        flag.put("odd", origin="cli")
        trader.halter.notice()
        trader.halter.flag = None  # it never comes to taking it away
        trader.halter.resume("checked", origin="cli")
    async with floor.trader(journal=journal) as trader:
        trader.halter.watch(flag)
        assert "odd" in await denied(trader)
        assert trader.halter.notice() is not None
        assert states(journal)[-1] == ("HALTED", "odd", "cli")


async def test_a_flag_may_keep_entries(tmp_path: Path) -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(3, limit="149.00"))
        flag = HaltFile(tmp_path / "HALT")
        flag.put("softly", origin="cli", keeps_entries=True)
        trader.halter.watch(flag)
        await asyncio.sleep(2 * halter.LOOK)
        assert order.order_id in trader.portfolio.orders
        flag.put("hard", origin="cli")
        await until_gone(trader, order)
