"""`close` ends flat with no order left, whatever worked before and whatever goes wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.errors import OutcomeUnknown
from ibkr_trader.execution.closing import NotClosed, close_position
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.risk.guard import RiskGuard
from tests.execution.parts import AAPL, FallibleBroker, Floor, request
from tests.scenarios.crash_child import bracket


async def test_close_ends_a_bracket_flat_and_leaves_nothing_behind() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_bracket(bracket(), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        orders = await close_position(trader, position, timeout=5)
        assert not trader.portfolio.positions
        assert not trader.portfolio.orders
        assert {o.spec.role: o.status for o in orders} == {
            OrderRole.TARGET: OrderStatus.CANCELLED,
            OrderRole.STOP: OrderStatus.CANCELLED,
            OrderRole.CLOSE: OrderStatus.FILLED,
        }


async def test_close_of_a_short_buys_back() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_order(request(7, side=Side.SELL), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        assert position.quantity == -7
        await close_position(trader, position, timeout=5)
        assert not trader.portfolio.positions


async def test_closing_twice_closes_once() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        await close_position(trader, position, timeout=5)
        assert await close_position(trader, position, timeout=5) == ()
        assert not trader.portfolio.positions


async def test_close_cancels_an_entry_that_still_works() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        await desk.submit_order(request(5, limit="149.00"))
        await close_position(trader, trader.portfolio.positions[AAPL], timeout=5)
        assert not trader.portfolio.orders
        assert not trader.portfolio.positions


async def test_close_that_is_not_confirmed_says_what_may_be_live() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        # Nobody bids for all of it, so the closing order stays open.
        floor.quote("149.99", "150.01", size=4)
        with pytest.raises(OutcomeUnknown) as unknown:
            await close_position(trader, trader.portfolio.positions[AAPL], timeout=0.2)
        assert unknown.value.order_ids == ("k7qav-2-close",)
        assert trader.portfolio.positions[AAPL].quantity < Decimal(10)


async def test_orders_of_others_that_close_it_are_left_alone() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        theirs = trader.portfolio.positions[AAPL]
        floor.sell_as_another_client(10, limit="151.00")
        await trader.recovery.synchronize()
        with pytest.raises(NotClosed, match="others"):
            await close_position(trader, theirs, timeout=5)
        assert len(trader.portfolio.orders) == 1


async def test_what_is_left_to_others_keeps_its_stop() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await Desk(trader).submit_bracket(bracket(), wait=Wait.FILLED)
        floor.sell_as_another_client(10, limit="190.00")
        await trader.recovery.synchronize()
        with pytest.raises(NotClosed, match="others"):
            await close_position(trader, trader.portfolio.positions[AAPL], timeout=5)
        assert trader.portfolio.positions[AAPL].quantity == 10
        assert trader.portfolio.orders.keys() >= {order.order_id for order in orders[1:]}


async def test_a_close_that_we_deny_puts_the_stop_back() -> None:
    guard = RiskGuard(extra=(lambda spec: spec.role is not OrderRole.CLOSE,))
    async with Floor().trader(guard=guard) as trader:
        await Desk(trader).submit_bracket(bracket(), wait=Wait.FILLED)
        with pytest.raises(NotClosed, match=r"DENIED.*its stop is put back$"):
            await close_position(trader, trader.portfolio.positions[AAPL], timeout=5)
        (stop,) = trader.portfolio.orders.values()
        assert (stop.spec.role, stop.spec.stop_price) == (OrderRole.STOP, Decimal(145))
        assert stop.spec.quantity == trader.portfolio.positions[AAPL].quantity == 10


async def test_a_close_that_fails_with_the_link_says_that_nothing_protects() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_bracket(bracket(), wait=Wait.FILLED)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)

        def lose(event: ev.CancelEvent) -> None:
            broker.is_gone = broker.is_gone or "stop" in event.order_id

        trader.bus.subscribe(ev.CancelEvent, lose)
        with pytest.raises(NotClosed, match=r"NOT_SENT.*the position is UNPROTECTED"):
            await close_position(trader, trader.portfolio.positions[AAPL], timeout=5)


async def test_a_closed_market_leaves_the_exits_where_they_are() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_bracket(bracket(), wait=Wait.FILLED)
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York
        with pytest.raises(NotClosed, match="is closed; it opens at 2026-11-23 14:30 UTC"):
            await close_position(trader, trader.portfolio.positions[AAPL], timeout=5)
        working = {o.spec.role for o in trader.portfolio.orders.values()}
        assert working == {OrderRole.STOP, OrderRole.TARGET}
