"""`close` ends flat with no order left, whatever worked before and whatever goes wrong."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.closing import (
    NotClosed,
    StillClosing,
    close_contract,
    close_each,
    lost_in,
)
from ibkr_trader.execution.desk import Desk, cancel
from ibkr_trader.execution.placing import Wait
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, INSTALL, FallibleBroker, Floor, FullDisk, request
from tests.scenarios.crash_child import bracket


async def test_close_ends_a_bracket_flat_and_leaves_nothing_behind() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        orders = await close_contract(trader, position.contract, timeout=5)
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
        await close_contract(trader, position.contract, timeout=5)
        assert not trader.portfolio.positions


def of_a_lost_journal(floor: Floor, *, name: str, side: str = "SELL", stop: str = "145") -> None:
    """Have an order at the exchange that our client placed from a journal that is gone."""
    is_stop = side == "SELL"
    terms = OrderTerms(
        con_id=AAPL, action=side, quantity=Decimal(5), order_type="STP" if is_stop else "LMT",
        limit_price=None if is_stop else Decimal(stop), order_ref=name,
        aux_price=Decimal(stop) if is_stop else None,
    )  # fmt: skip
    number = floor.exchange.orders.next_order_id(1)
    floor.exchange.place(1, number, terms=terms, now=floor.clock.now())


async def test_close_takes_over_what_a_lost_journal_of_ours_had() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.client_id = 1
        await Desk(trader).submit_order(request(5), wait=Wait.FILLED)
        of_a_lost_journal(floor, name="lost2-3-stop")
        of_a_lost_journal(floor, name="lost2-4-entry", side="BUY", stop="140")
        floor.sell_as_another_client(2, limit="170")
        await trader.recovery.synchronize()
        contract = trader.portfolio.positions[AAPL].contract
        assert len(lost_in(trader, AAPL)) == 2
        with pytest.raises(NotClosed, match="foreign"):  # a stranger's target closes the rest
            await close_contract(trader, contract, timeout=2, origin="close")
        told = [m for _, m in trader.journal.messages() if isinstance(m, ev.AdoptEvent)]
        assert {one.order_id for one in told} == {"lost2-3-stop", "lost2-4-entry"}
        assert {one.origin for one in told} == {"close"}
        (left,) = trader.portfolio.orders.values()
        assert (left.client_id, left.remaining) == (7, Decimal(2))
        assert trader.portfolio.positions[AAPL].quantity == 2


@pytest.mark.parametrize("is_full", [False, True])
async def test_an_entry_of_a_lost_journal_goes_though_nothing_is_held(*, is_full: bool) -> None:
    floor, journal = Floor(), FullDisk(INSTALL)
    async with floor.trader(journal=journal) as trader:
        trader.client_id = 1
        of_a_lost_journal(floor, name="lost2-4-single", side="BUY", stop="140")
        await trader.recovery.synchronize()
        contract = (await trader.learn("AAPL")).contract
        journal.is_full = is_full  # the way out is open though nothing can be written down
        (gone,) = await close_contract(trader, contract, timeout=5)
        assert (gone.order_id, gone.status) == ("lost2-4-single", OrderStatus.CANCELLED)
        assert floor.exchange.orders.working() == ()


async def test_without_a_client_id_nothing_is_taken_over() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        of_a_lost_journal(floor, name="lost2-4-single", side="BUY", stop="140")
        await trader.recovery.synchronize()
        contract = (await trader.learn("AAPL")).contract
        assert lost_in(trader, AAPL) == ()
        assert await close_contract(trader, contract, timeout=5) == ()
        assert len(floor.exchange.orders.working()) == 1


async def test_closing_twice_closes_once() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        position = trader.portfolio.positions[AAPL]
        await close_contract(trader, position.contract, timeout=5)
        assert await close_contract(trader, position.contract, timeout=5) == ()
        assert not trader.portfolio.positions


async def test_s14_however_many_ask_it_is_closed_once() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        contract = trader.portfolio.positions[AAPL].contract
        before = trader.broker.sent  # type: ignore[attr-defined] # the one of these tests
        async with asyncio.TaskGroup() as tasks:
            asked = [
                tasks.create_task(close_contract(trader, contract, timeout=5)) for _ in range(5)
            ]
        assert len({tuple(o.order_id for o in one.result()) for one in asked}) == 1
        assert not trader.portfolio.positions
        assert not trader.portfolio.orders
        assert trader.broker.sent - before == 3  # type: ignore[attr-defined] # two cancels, one close


async def test_closing_what_is_flat_takes_back_what_still_works() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(5, limit="149.00"))
        await close_contract(trader, order.spec.contract, timeout=5)
        assert not trader.portfolio.orders
        assert not trader.portfolio.positions


async def test_one_that_cannot_be_closed_stops_no_other() -> None:
    floor = Floor()
    guard = RiskGuard(
        extra=(lambda spec: spec.role is not OrderRole.CLOSE or spec.contract.symbol != "AAPL",)
    )
    async with floor.trader(guard=guard) as trader:
        desk = Desk(trader)
        for symbol, side in (("AAPL", Side.BUY), ("MSFT", Side.SELL)):
            one = msgspec.structs.replace(request(3, side=side), symbol=symbol)
            await desk.submit_order(one, wait=Wait.FILLED)
        held = [position.contract for position in trader.portfolio.positions.values()]
        said: list[str] = []
        closed = await close_each(trader, held, timeout=5, tell=said.append)
        assert [(one.contract.symbol, one.trouble is None) for one in closed] == [
            ("AAPL", False), ("MSFT", True),
        ]  # fmt: skip
        assert "MSFT: closed" in said
        assert [one.contract.symbol for one in trader.portfolio.positions.values()] == ["AAPL"]


async def test_f_f08_in_a_halt_one_order_rests_and_it_says_so() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        contract = trader.portfolio.positions[AAPL].contract
        floor.exchange.market.halt(AAPL, halted=True)
        await trader.price(contract, timeout=1)
        for _ in range(3):  # asked again and again, it is one order
            with pytest.raises(NotClosed, match=r"trading in it is halted.*works on"):
                await close_contract(trader, contract, timeout=0.3)
        (resting,) = trader.portfolio.orders.values()
        assert (resting.spec.role, int(resting.spec.quantity)) == (OrderRole.CLOSE, 10)
        floor.exchange.market.halt(AAPL, halted=False)
        floor.move(trader, "149.99", "150.01")
        await trader.until(lambda p: True if not p.closings else None, timeout=5)
        assert not trader.portfolio.positions


async def test_close_cancels_an_entry_that_still_works() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        await desk.submit_order(request(5, limit="149.00"))
        await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=5)
        assert not trader.portfolio.orders
        assert not trader.portfolio.positions


async def test_close_that_is_not_confirmed_says_what_may_be_live() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        # Nobody bids for all of it, so the closing order stays open.
        floor.quote("149.99", "150.01", size=4)
        with pytest.raises(NotClosed, match="k7qav-2-close works on"):  # known, and not done
            await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=0.2)
        assert trader.portfolio.positions[AAPL].quantity < Decimal(10)


async def test_orders_of_others_that_close_it_are_left_alone() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        theirs = trader.portfolio.positions[AAPL]
        floor.sell_as_another_client(10, limit="151.00")
        await trader.recovery.synchronize()
        with pytest.raises(NotClosed, match="others"):
            await close_contract(trader, theirs.contract, timeout=5)
        assert len(trader.portfolio.orders) == 1


async def test_what_is_left_to_others_keeps_its_stop() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.sell_as_another_client(10, limit="190.00")
        await trader.recovery.synchronize()
        with pytest.raises(NotClosed, match="others"):
            await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=5)
        assert trader.portfolio.positions[AAPL].quantity == 10
        assert trader.portfolio.orders.keys() >= {order.order_id for order in orders[1:]}


async def test_a_close_that_we_deny_puts_the_stop_back() -> None:
    guard = RiskGuard(extra=(lambda spec: spec.role is not OrderRole.CLOSE,))
    async with Floor().trader(guard=guard) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        with pytest.raises(NotClosed, match=r"DENIED.*its stop is put back$"):
            await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=5)
        (stop,) = trader.portfolio.orders.values()
        assert (stop.spec.role, stop.spec.stop_price) == (OrderRole.STOP, Decimal(145))
        assert stop.spec.quantity == trader.portfolio.positions[AAPL].quantity == 10


async def test_a_close_that_fails_with_the_link_says_that_nothing_protects() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)

        def lose(event: ev.CancelEvent) -> None:
            broker.is_gone = broker.is_gone or "stop" in event.order_id

        trader.bus.subscribe(ev.CancelEvent, lose)
        with pytest.raises(NotClosed, match=r"gone in the middle.*the position is UNPROTECTED"):
            await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=5)
        assert AAPL in trader.portfolio.closings  # whoever comes next goes on


@pytest.mark.parametrize("has_target", [True, False])
async def test_a_stop_whose_cancel_never_left_still_protects(has_target: bool) -> None:
    """The link is gone before anything was asked for: at the broker it all stands as it did."""
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        if not has_target:
            target = next(o for o in trader.portfolio.orders if o.endswith("target"))
            await cancel(trader, target, timeout=5)
        broker, contract = trader.broker, trader.portfolio.positions[AAPL].contract
        assert isinstance(broker, FallibleBroker)
        broker.is_gone = True
        with pytest.raises(StillClosing) as told:
            await close_contract(trader, contract, timeout=5)
        assert str(told.value.message) == (
            "AAPL is not closed: the broker is gone in the middle of it; its stop still works at "
            "the broker; the closing goes on when the link is back: whoever reaches the broker "
            "next goes on"
        )
        broker.is_gone = False
        await trader.recovery.synchronize()
        await trader.until(lambda p: True if not p.closings else None, timeout=5)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})


async def test_where_nothing_is_held_no_stop_is_spoken_of() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(5, limit="149.00"))
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)
        broker.is_gone = True
        with pytest.raises(StillClosing, match="in the middle of it; the closing goes on"):
            await close_contract(trader, order.spec.contract, timeout=5)
        broker.is_gone = False


async def test_the_link_comes_back_and_it_goes_on() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)

        def lose(event: ev.CancelEvent) -> None:
            broker.is_gone = broker.is_gone or "stop" in event.order_id

        unsubscribe = trader.bus.subscribe(ev.CancelEvent, lose)
        contract = trader.portfolio.positions[AAPL].contract
        with pytest.raises(NotClosed):
            await close_contract(trader, contract, timeout=5)
        unsubscribe()
        broker.is_gone = False
        await trader.recovery.synchronize()
        await trader.until(lambda p: True if not p.closings else None, timeout=5)
        assert (dict(trader.portfolio.positions), dict(trader.portfolio.orders)) == ({}, {})
        assert trader.portfolio.order(OrderId("k7qav-2-close.2")) is not None


async def test_a_closed_market_leaves_the_exits_where_they_are() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York
        with pytest.raises(NotClosed, match="is closed; it opens at 2026-11-23 14:30 UTC"):
            await close_contract(trader, trader.portfolio.positions[AAPL].contract, timeout=5)
        working = {o.spec.role for o in trader.portfolio.orders.values()}
        assert working == {OrderRole.STOP, OrderRole.TARGET}
