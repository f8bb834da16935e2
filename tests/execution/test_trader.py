"""The whole trader on an exchange in process: what it promises to a person."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.errors import JournalError
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.execution import parts
from tests.execution.parts import AAPL, Floor, FullDisk, request
from tests.limits import roomy
from tests.scenarios.crash_child import bracket


async def test_a_bracket_fills_and_is_protected() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        entry, target, stop = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        assert (entry.status, entry.average_fill_price) == (OrderStatus.FILLED, Decimal("150.01"))
        assert (target.status, stop.status) == (OrderStatus.SUBMITTED, OrderStatus.PRESUBMITTED)
        assert stop.held_for == "trigger"
        assert trader.portfolio.positions[AAPL].quantity == 10


async def test_one_exit_ends_the_other_and_the_position() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.move(trader, "155.10", "155.12")
        assert await trader.until(lambda p: (not p.positions and not p.orders) or None, timeout=5)
        ends = {o.spec.role: o.status for o in trader.portfolio.closed.values()}
        assert ends == {
            OrderRole.ENTRY: OrderStatus.FILLED,
            OrderRole.TARGET: OrderStatus.FILLED,
            OrderRole.STOP: OrderStatus.CANCELLED,
        }


async def test_positions_are_told_as_they_open_change_and_close() -> None:
    floor = Floor()
    told: list[tuple[str, int]] = []
    async with floor.trader() as trader:
        trader.bus.subscribe(
            ev.PositionEvent,
            lambda e: told.append((type(e).__name__, int(e.position.quantity))),
        )
        desk = Desk(trader)
        await desk.submit_order(request(10), wait=Wait.FILLED)
        await desk.submit_order(request(5), wait=Wait.FILLED)
        await desk.submit_order(request(15, side=Side.SELL), wait=Wait.FILLED)
    assert told == [
        ("PositionOpenEvent", 10),
        ("PositionUpdateEvent", 15),
        ("PositionCloseEvent", 0),
    ]


async def test_what_the_journal_knows_is_there_again_after_a_restart() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        before = trader.portfolio
    async with floor.trader(journal=journal) as trader:
        after = trader.portfolio
        assert {i: o.status for i, o in after.orders.items()} == {
            i: o.status for i, o in before.orders.items()
        }
        assert len(trader.portfolio.fills) == 1
        group = trader.groups.get(before.order(next(iter(before.orders))).spec.group_id)  # type: ignore[union-attr]
        assert group is not None


async def test_what_filled_while_we_were_away_is_told_once() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    floor.quote("144.90", "144.95")
    floor.exchange.advance(floor.clock.now())
    for _ in range(2):
        async with floor.trader(journal=journal) as trader:
            assert not trader.portfolio.positions
            assert not trader.portfolio.orders
    fills = [m for _, m in journal.messages() if isinstance(m, ev.FillEvent)]
    assert [int(event.fill.quantity) for event in fills] == [10, 10]
    assert {fill.fill.side for fill in fills} == {Side.BUY, Side.SELL}


async def test_without_a_disk_nothing_is_opened_and_closing_goes_on() -> None:
    floor, journal = Floor(), FullDisk("k7qav")
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader)
        resting = await desk.submit_order(request(limit="140.00"))
        journal.is_full = True
        with pytest.raises(JournalError):
            await desk.submit_order(request(20))
        cancelled = await desk.cancel_order(resting.order_id)
        assert cancelled.status is OrderStatus.CANCELLED
        assert not trader.record.is_complete


async def test_a_projection_that_raises_stops_the_trader() -> None:
    def broken(_: ev.FillEvent) -> None:
        message = "cannot draw this"
        raise ZeroDivisionError(message)

    async def trade() -> None:
        async with Floor().trader() as trader:
            trader.bus.subscribe(ev.FillEvent, broken)
            await Desk(trader).submit_order(request(), wait=Wait.FILLED)
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError):
        await trade()


async def test_a_projection_that_raises_stops_the_trader_whoever_published() -> None:
    def broken(_: ev.NewOrderEvent) -> None:
        message = "cannot draw this"
        raise ZeroDivisionError(message)

    async def trade() -> None:
        async with Floor().trader() as trader:
            trader.bus.subscribe(ev.NewOrderEvent, broken)
            with pytest.raises(ZeroDivisionError):  # a command of a client, whose error is told
                await Desk(trader).submit_order(request())
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError):
        await trade()


async def test_a_desk_that_is_open_for_a_moment_keeps_the_peak_and_halts_at_a_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    monkeypatch.setattr(parts, "LIMITS", roomy(max_daily_loss=Decimal(100)))
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader)
        await desk.submit_order(request(20), wait=Wait.FILLED)
        entry = await desk.submit_order(request(1, limit="120.00"))
        assert trader.outlook.book.equity is not None
    floor.quote("139.00", "139.02")
    async with floor.trader(journal=journal) as trader:
        position = next(iter(trader.portfolio.positions.values()))
        await trader.study(position.contract, timeout=1, opens=True)  # and no more than that
    assert trader.outlook.book.switch.everything is not None
    assert trader.outlook.book.switch.everything.origin == "daily_loss"
    asked = [m.order_id for _, m in journal.messages() if isinstance(m, CancelOrder)]
    assert asked == [entry.order_id]
