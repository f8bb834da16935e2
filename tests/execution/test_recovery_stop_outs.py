"""A stop that was hit today is known to every process of the day, not to the first one only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.execution.checkpoints import Checkpoints
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.ports import Journal
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.checks.stop_out import stop_outs
from tests.execution.parts import AAPL, Floor, request
from tests.risk.world import D
from tests.scenarios.crash_child import bracket

DAY = 86_400
OUT = msgspec.structs.replace(
    request(side=Side.SELL),
    order_type=OrderType.STOP,
    stop_price=D(145),
    time_in_force=TimeInForce.GTC,
)


def hits(trader: Trader) -> list[datetime]:
    return stop_outs(AAPL, trader.outlook.view())


async def hit(floor: Floor, trader: Trader) -> None:
    """Let the market go through the stop."""
    floor.move(trader, "144.00", "144.02")
    assert await trader.until(lambda p: not p.positions or None, timeout=3)


async def seen_by_the_next(floor: Floor, journal: Journal, processes: int = 3) -> list[int]:
    """Return how many stop-outs each further process knows of."""
    found = []
    for _ in range(processes):
        floor.clock.advance(5)
        async with floor.trader(journal=journal) as trader:
            found.append(len(hits(trader)))
    return found


async def test_every_restart_knows_it() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        await hit(floor, trader)
        assert len(hits(trader)) == 1
    assert await seen_by_the_next(floor, journal) == [1, 1, 1]


async def test_so_it_is_on_disk_and_after_a_mark_of_a_trader_that_stays(tmp_path: Path) -> None:
    floor = Floor()
    with SqliteJournal(tmp_path / "journal.db", clock=floor.clock) as journal:
        async with floor.trader(journal=journal) as trader:
            await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
            await hit(floor, trader)
            Checkpoints(trader).mark()
            assert len(hits(trader)) == 1
        assert await seen_by_the_next(floor, journal) == [1, 1, 1]


async def test_a_stop_that_was_hit_while_nobody_was_there_counts_too() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        broker = trader.broker
    floor.quote("144.00", "144.02")
    broker.advance()  # type: ignore[attr-defined] # the simulator's: the exchange goes on
    assert await seen_by_the_next(floor, journal) == [1, 1, 1]


async def test_what_was_bought_days_ago_has_not_lost_its_cost() -> None:
    """The stop is no member of the entry's group: only the ledger knows what was paid."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await Desk(trader).submit_order(OUT)
    floor.clock.advance(3 * DAY + 60)  # a Monday
    async with floor.trader(journal=journal) as trader:
        await hit(floor, trader)
        assert len(hits(trader)) == 1
        realized = trader.portfolio.books[AAPL].position.realized_pnl
    assert await seen_by_the_next(floor, journal) == [1, 1, 1]
    async with floor.trader(journal=journal) as trader:
        assert trader.portfolio.books[AAPL].position.realized_pnl == realized < 0


async def test_only_what_counts_is_kept_and_only_for_its_day() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader)
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        floor.move(trader, "191.00", "191.02")  # its target: no stop-out
        assert await trader.until(lambda p: not p.positions or None, timeout=3)
        floor.clock.advance(60)  # it would be a repetition
        floor.move(trader, "149.99", "150.01")
        *_, stop = await desk.submit_group(bracket(), wait=Wait.FILLED)
        await hit(floor, trader)
        floor.clock.advance(700)  # what came to nothing just now is remembered for a while
    assert {one.rsplit("-", 1)[0] for one in _marks(journal)[-1].live} == {stop.spec.group_id}
    floor.clock.advance(2 * DAY)
    assert await seen_by_the_next(floor, journal, 2) == [0, 0]
    assert _marks(journal)[-1].live == ()
    assert _marks(journal)[-1].bases == ()


def _marks(journal: MemoryJournal) -> list[ev.CheckpointEvent]:
    return [m for _, m in journal.messages() if isinstance(m, ev.CheckpointEvent)]
