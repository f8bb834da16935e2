"""1.G: the process, its disk and its journal: what is lost, torn, full or older than the truth."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.errors import JournalError, RiskCheckError
from ibkr_trader.core.events import FillEvent, StateEvent
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.recovery import Recovery
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.adapters.disks import takes_only
from tests.bad_days.judges import assert_over, assert_sound, nakedness, repeats
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ibkr_trader.execution.desk import Desk


@pytest.fixture
async def shut(tmp_path: Path) -> AsyncIterator[Day]:
    """A gateway without a desk: the story opens and shuts it."""
    async with a_day(tmp_path) as day:
        yield day


def journal_of(day: Day) -> SqliteJournal:
    journal = day.trader.journal
    assert isinstance(journal, SqliteJournal)
    return journal


# -- G01, G02, G08: the process ends --------------------------------------------------------------


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_f_g02_a_bracket_that_is_given_up_on_its_way_has_left_whole_or_not_at_all(
    shut: Day, turns: int
) -> None:
    """As when the process is told to end: whatever the moment, never half of it."""
    day = shut
    async with day.open_desk() as desk:
        await desk.get_positions()
        placing = asyncio.create_task(desk.submit_group(bracket(limit="149")))  # noqa: TID251
        for _ in range(turns):
            await asyncio.sleep(0)
        placing.cancel()
        with suppress(asyncio.CancelledError):
            await placing
        await day.quiet()
        assert len(day.wire.sent("placeOrder")) in {0, 3}
    assert len(day.ledger.live(AAPL)) in {0, 3}
    async with day.open_desk():
        await day.trade("entry") if day.ledger.live(AAPL) else None
        await day.wait(10)
        assert day.ledger.held(AAPL) in {0, 10}
        assert_sound(day, AAPL)


async def test_f_g08_a_projection_that_fails_ends_the_desk_and_leaves_the_stops(shut: Day) -> None:
    def broken(_: FillEvent) -> None:
        raise ZeroDivisionError("planted")

    async def trade() -> None:
        async with day.open_desk() as desk:
            desk.trader.bus.subscribe(FillEvent, broken)
            await desk.submit_group(bracket(), wait=Wait.FILLED)
            await asyncio.Event().wait()

    day = shut
    with pytest.raises(ZeroDivisionError, match="planted"):
        async with day.meanwhile(within=20):
            await trade()
    assert day.ledger.held(AAPL) == 10
    assert not nakedness(day, AAPL)
    sent = len(day.wire.sent("placeOrder"))
    async with day.open_desk():
        await day.wait(5)
        assert len(day.wire.sent("placeOrder")) == sent
        assert_sound(day, AAPL)


async def test_f_g09_links_and_orders_leave_nothing_open_behind(day: Day) -> None:
    """What a week of them would add up to; the rest is for the soak."""
    seen = []
    for n in range(12):
        order = await day.desk.submit_order(single(limit=f"{140 + n}"))
        async with day.meanwhile(within=5):
            await day.desk.cancel_order(order.order_id)
        await day.lose_link()
        await day.wait(15)
        seen.append((len(os.listdir("/dev/fd")), len(asyncio.all_tasks())))  # noqa: PTH208
    assert len(set(seen[2:])) == 1
    assert not day.trader.portfolio.orders


# -- G03, G04: the disk ---------------------------------------------------------------------------


async def test_f_g03_what_is_on_record_is_on_the_disk(day: Day) -> None:
    """A write-ahead log with `NORMAL` may lose what it has acknowledged when the power fails."""
    connection = journal_of(day)._connection
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "journal_mode", "fullfsync")
    }
    assert settings == {"synchronous": 2, "journal_mode": "wal", "fullfsync": 1}


@contextmanager
def full(day: Day) -> Iterator[None]:
    connection = journal_of(day)._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


@contextmanager
def read_only(day: Day) -> Iterator[None]:
    connection = journal_of(day)._connection
    connection.execute("PRAGMA query_only = ON")
    yield
    connection.execute("PRAGMA query_only = OFF")


@contextmanager
def failing(day: Day) -> Iterator[None]:
    """Every write ends in an error of the disk."""
    size = (day.folder / "journal.db-wal").stat().st_size
    with takes_only(size):
        yield


async def fill_up(desk: Desk) -> None:
    """Use up what room the journal's file has left."""
    with suppress(JournalError, RiskCheckError):
        for n in range(60):
            order = await desk.submit_order(single(1, limit=f"{100 + n}"))
            await desk.cancel_order(order.order_id)


@pytest.mark.parametrize("trouble", [full, read_only, failing])
async def test_f_g04_without_a_disk_nothing_opens_and_every_way_out_is_open(
    day: Day, trouble: Callable[[Day], AbstractContextManager[None]]
) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    resting = await day.desk.submit_order(single(5, limit="149"))
    with trouble(day):
        await fill_up(day.desk)
        sent = len(day.wire.sent("placeOrder"))
        for _ in range(2):
            with pytest.raises((JournalError, RiskCheckError)):
                await day.desk.submit_order(single(5, limit="148"))
        assert len(day.wire.sent("placeOrder")) == sent
        async with day.meanwhile():
            await day.desk.cancel_order(resting.order_id)
        async with day.meanwhile():
            (held,) = await day.desk.get_positions()
            await close_contract(day.trader, held.contract, timeout=10)
        assert_over(day)
    assert not repeats(day)


# -- G10, G11: recovery ---------------------------------------------------------------------------


class DiedError(Exception):
    """The process is gone."""


@pytest.mark.parametrize("where", ["before it is on record", "before the cancels"])
async def test_f_g10_a_recovery_that_dies_is_done_again_and_once(
    shut: Day, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A bracket is half sent; whoever finds it dies in turn; the third takes it back."""
    day = shut
    day.faults.arm(Fault(when=When(names=("placeOrder",), nth=3), act=rules.Cut()))
    async with day.open_desk() as desk, day.trying(desk.submit_group(bracket(limit="149"))):
        day.faults.arm(Fault(when=When(names=("cancelOrder",), times=0), act=rules.Drop()))
    day.faults.lift()

    def die(*_: object, **__: object) -> None:
        raise DiedError

    with monkeypatch.context() as patched:
        owner, name = (Intake, "admit") if where.endswith("record") else (Recovery, "_cancel")
        patched.setattr(owner, name, die)
        with pytest.raises(DiedError):
            async with day.open_desk():
                pass
    for _ in range(2):
        async with day.open_desk():
            await day.wait(20)
            assert_over(day)
            assert_sound(day, AAPL)
    cancelled = [entry.order_ref for entry in day.wire.sent("cancelOrder")]
    assert cancelled
    assert len(day.wire.sent("placeOrder")) == 3


async def test_f_g11_a_journal_that_was_put_back_repeats_no_number_and_opens_nothing(
    shut: Day, tmp_path: Path
) -> None:
    """Beside the orders a halt is lost with it: so a person has to look first."""
    day, backup = shut, tmp_path / "backup"
    async with day.open_desk() as desk:
        await desk.submit_order(single(limit="149"))
    backup.mkdir()
    for file in day.folder.glob("journal.db*"):
        shutil.copy(file, backup / file.name)
    async with day.open_desk() as desk:
        for limit in ("148", "146"):
            lost = await desk.submit_order(single(limit=limit))
            async with day.meanwhile():
                await desk.cancel_order(lost.order_id)
        desk.trader.halter.stop("a person has stopped it", origin="test", keeps_entries=True)
    for file in day.folder.glob("journal.db*"):
        file.unlink()
    for file in backup.iterdir():
        shutil.copy(file, day.folder / file.name)
    day.heard.clear()
    async with day.open_desk() as desk:
        await day.wait(2)
        (state,) = day.news(StateEvent)
        assert state.state is TradingState.REDUCING
        assert state.reason == "the journal: ends with order 1 here, order 3 at the broker"
        sent = len(day.wire.sent("placeOrder"))
        with pytest.raises(RiskCheckError, match="the journal: ends with order 1"):
            await desk.submit_order(single(limit="147"))
        assert len(day.wire.sent("placeOrder")) == sent
        assert len(day.ledger.live(AAPL)) == 1
        desk.trader.halter.resume("the backup was put back on purpose", origin="test")
        await desk.submit_order(single(limit="147"))
        assert not repeats(day)
        numbers = [entry.key.order_id for entry in day.wire.sent("placeOrder") if entry.key]
        assert numbers == sorted(set(numbers))
        assert_sound(day, AAPL)
