"""The day's messages: counted as they go out, over restarts, until the exchange's midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.risk_book import RiskBook
from ibkr_trader.execution.trader import Trader
from ibkr_trader.sim.broker import SimulatedBroker
from tests.execution.parts import Floor, request
from tests.orders.samples import spec, written
from tests.scenarios.crash_child import bracket

NEW_YORK = ZoneInfo("America/New_York")


def told(trader: Trader) -> tuple[int, int, int, int]:
    found = trader.outlook.view().traffic
    assert found is not None
    return found.orders, found.changes, found.cancels, found.executions


async def test_a_bracket_is_three_orders_and_what_trades_counts_once() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        assert trader.outlook.view().traffic is None
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        assert told(trader) == (3, 0, 0, 1)
        order = await desk.submit_order(request(1, limit="149.00"))
        await desk.modify_order(order.order_id, limit_price=Decimal("149.10"))
        await desk.cancel_order(order.order_id)
        assert told(trader) == (4, 1, 1, 1)


async def test_an_order_that_trades_in_parts_counts_once() -> None:
    floor = Floor()
    floor.quote("149.99", "150.01", size=4)
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(10))
        for _ in range(5):
            floor.clock.advance(1)
            floor.quote("149.99", "150.01", size=4)
            assert isinstance(trader.broker, SimulatedBroker)
            trader.broker.advance()
            await trader.intake.drained()
        assert len(trader.portfolio.fills) > 1, "or this proves nothing"
        assert told(trader) == (1, 0, 0, 1)


async def test_it_outlives_a_restart_orderly_or_not() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        crashed = MemoryJournal("k7qav")  # without the checkpoint of an orderly end
        crashed.append([message for _, message in journal.messages()])
    for kept in (journal, crashed):
        async with floor.trader(journal=kept) as trader:
            assert told(trader) == (3, 0, 0, 1)


def new_york_book(now: str) -> tuple[RiskBook, ManualClock]:
    clock = ManualClock(local(now))
    return RiskBook(RiskSettings(zone=NEW_YORK), clock), clock


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def messages(book: RiskBook) -> int:
    found = book.traffic_today
    return 0 if found is None else found.messages


def test_it_begins_anew_at_the_exchanges_midnight() -> None:
    book, clock = new_york_book("2026-11-20T19:30")  # the next day already in UTC
    book.hear(written(spec(), at=clock.now()), clock.now())
    clock.jump(local("2026-11-20T23:59:59"))
    assert messages(book) == 1
    clock.jump(local("2026-11-21T00:00"))
    assert messages(book) == 0, "though nothing has gone out yet"
    book.hear(written(spec(), at=clock.now()), clock.now())
    assert messages(book) == 1


def test_a_day_of_23_hours_is_one_and_one_of_25_too() -> None:
    for first, second in (("2026-03-08", "2026-03-09"), ("2026-11-01", "2026-11-02")):
        book, clock = new_york_book(f"{first}T00:00")
        book.hear(written(spec(), at=clock.now()), clock.now())
        clock.jump(local(f"{second}T00:00") - timedelta(microseconds=1))
        assert messages(book) == 1
        clock.jump(local(f"{second}T00:00"))
        assert messages(book) == 0


def test_a_checkpoint_brings_it_back() -> None:
    book, clock = new_york_book("2026-11-20T10:00")
    book.hear(written(spec(), at=clock.now()), clock.now())
    again, _ = new_york_book("2026-11-20T10:01")
    again.hear(ev.CheckpointEvent(at=clock.now(), **book.kept()), clock.now())
    assert messages(again) == 1


def test_a_clock_that_was_set_back_leaves_tomorrows_count_behind() -> None:
    """A simulator's: it begins again on the day before."""
    book, clock = new_york_book("2026-11-20T10:00")
    book.hear(written(spec(), at=clock.now()), clock.now())
    book.hear(written(spec(), at=clock.now()), clock.now())
    clock.jump(local("2026-11-19T10:00"))
    assert messages(book) == 0
    book.hear(written(spec(), at=clock.now()), clock.now())
    assert messages(book) == 1
    assert book.traffic_today is not None
    assert book.traffic_today.since == local("2026-11-19T00:00")
