"""`reset-account`: what is held goes the way of every closing, whoever began it, and once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, Side, TimeInForce
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.closing import NotClosed, close_contract
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.resetting import Cleared, clear
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import AAPL, INSTALL, FallibleBroker, Floor, request
from tests.scenarios.crash_child import bracket

SHORT = 0.3  # seconds that a test waits for what does not come
NIGHT = 6.5 * 3600  # from 10:00 to half an hour after the close


async def reset(trader: Trader, *, timeout: float = SHORT) -> Cleared:
    return await clear(trader, timeout=timeout, tell=lambda _: None)


async def hold_and_halt(floor: Floor, trader: Trader) -> None:
    await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    floor.exchange.market.halt(AAPL, halted=True)


def working(trader: Trader) -> dict[OrderId, OrderRole]:
    return {order.order_id: order.spec.role for order in trader.portfolio.orders.values()}


def closing_orders(journal: MemoryJournal) -> list[OrderId]:
    """Every closing order that was ever sent."""
    sent = (m for _, m in journal.messages() if isinstance(m, ev.NewOrderEvent))
    return [one.order_id for one in sent if one.spec.role is OrderRole.CLOSE]


def cancels_of(journal: MemoryJournal, role: str) -> list[OrderId]:
    asked = (m for _, m in journal.messages() if isinstance(m, ev.CancelRequestEvent))
    return [one.order_id for one in asked if role in one.order_id]


async def open_again(floor: Floor, trader: Trader) -> None:
    """Let the market trade again, and wait for the end of what was begun."""
    floor.exchange.market.halt(AAPL, halted=False)
    floor.move(trader, "149.99", "150.01")
    assert await trader.until(lambda p: True if not p.closings else None, timeout=5)
    assert (dict(trader.portfolio.positions), working(trader)) == ({}, {})


async def test_a_second_run_waits_for_the_close_of_the_first() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await hold_and_halt(floor, trader)
        first = await reset(trader)
        assert list(working(trader).values()) == [OrderRole.CLOSE], first
    for _ in range(2):
        async with floor.trader(journal=journal) as trader:
            done = await reset(trader)
            assert (done.cancelled, len(done.troubles)) == ((), 1), done
            assert "works on" in done.troubles[0]
    async with floor.trader(journal=journal) as trader:
        await open_again(floor, trader)
    assert (len(closing_orders(journal)), cancels_of(journal, "close")) == (1, [])


@pytest.mark.parametrize("is_same_process", [True, False])
async def test_the_close_of_another_command_is_joined(is_same_process: bool) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await hold_and_halt(floor, trader)
        with pytest.raises(NotClosed, match="works on"):
            await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=SHORT)
        if is_same_process:
            await reset(trader)
    async with floor.trader(journal=journal) as trader:
        await reset(trader)
        await open_again(floor, trader)
    assert (len(closing_orders(journal)), cancels_of(journal, "close")) == (1, [])


async def test_one_that_is_halted_keeps_no_other_open() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await hold_and_halt(floor, trader)
        msft = msgspec.structs.replace(request(3, side=Side.SELL), symbol="MSFT")
        await Desk(trader).submit_order(msft, wait=Wait.FILLED)
        first, second = await reset(trader), await reset(trader)
    names = [[one.contract.symbol for one in r.closed if not one.trouble] for r in (first, second)]
    assert names == [["MSFT"], []]
    assert [one.contract.symbol for one in second.left.positions] == ["AAPL"]
    assert (len(closing_orders(journal)), cancels_of(journal, "close")) == (2, [])


@pytest.mark.parametrize("sent", [1, 2], ids=["target_cancelled", "stop_cancelled"])
async def test_what_a_run_that_is_lost_has_begun_is_ended_by_the_next(sent: int) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)
        broker.gone_at = broker.sent + sent
        with pytest.raises(Exception, match="nobody says what is left"):
            await reset(trader)
    async with floor.trader(journal=journal) as trader:  # any command: it asks for nothing
        assert await trader.until(lambda p: True if not p.closings else None, timeout=5)
        assert (dict(trader.portfolio.positions), working(trader)) == ({}, {})
        sold = sum(f.quantity for f in trader.portfolio.fills.values() if f.side is Side.SELL)
        assert sold == Decimal(10)


async def test_a_close_that_goes_with_the_orders_of_others_is_sent_again() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await hold_and_halt(floor, trader)
        await reset(trader)
    floor.sell_as_another_client(4, limit="170.00")
    async with floor.trader(journal=journal) as trader:
        done = await reset(trader)
        assert list(working(trader).values()) == [OrderRole.CLOSE], done
        await open_again(floor, trader)
    assert len(closing_orders(journal)) == 2


async def test_who_is_killed_after_the_cancel_of_all_orders_has_the_closing_on_record() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    told: list[str] = []
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.sell_as_another_client(4, limit="170.00")
        await trader.recovery.synchronize()
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)
        broker.gone_at = broker.sent + 3  # the target, the stop, and all orders
        with pytest.raises(Exception, match="nobody says what is left"):
            await reset(trader)
        assert AAPL in trader.portfolio.closings
    async with floor.trader(journal=journal) as trader:
        trader.bus.subscribe(ev.GroupEvent, lambda event: told.append(event.message))
        assert await trader.until(lambda p: True if not p.closings else None, timeout=5)
        assert (dict(trader.portfolio.positions), working(trader)) == ({}, {})
    assert told == ["AAPL is closed, as was asked before"]


async def test_orders_of_others_that_hold_a_close_up_go_first() -> None:
    floor, told = Floor(), list[str]()
    async with floor.trader() as trader:
        trader.bus.subscribe(ev.GroupEvent, lambda event: told.append(event.message))
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.sell_as_another_client(4, limit="170.00")
        await trader.recovery.synchronize()
        done = await reset(trader, timeout=5)
        assert (done.left.is_nothing, done.troubles, len(done.cancelled)) == (True, (), 3), done
    assert told == []


@pytest.mark.parametrize("has_others", [False, True])
async def test_a_closed_market_keeps_the_stop_and_nothing_that_opens(has_others: bool) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        more = msgspec.structs.replace(request(2, limit="149.00"), time_in_force=TimeInForce.GTC)
        await Desk(trader).submit_order(more)
        floor.clock.advance(NIGHT)
        if has_others:
            floor.sell_as_another_client(4, limit="170.00")
            await trader.recovery.synchronize()
        done = await reset(trader)
        assert any("the market of AAPL is closed" in one for one in done.troubles), done
        stops = [o for o in done.left.orders if o.spec.role is OrderRole.STOP]
        assert [one.spec.quantity for one in stops] == [Decimal(10)], done
        assert not [o for o in done.left.orders if o.is_foreign or o.spec.side is Side.BUY], done
