"""The broker ends the day by itself: linked, verified, kept up to date, and gone with the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.timed_exits import NotTimed, place_timed_exits
from ibkr_trader.execution.undoing import NothingToUndo, plan
from ibkr_trader.risk.guard import RiskGuard
from tests.execution.parts import AAPL, INSTALL, FallibleBroker, Floor, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Contract, Order, OrderId
    from ibkr_trader.execution.trader import Trader

AT = datetime(2026, 11, 20, 20, 55, tzinfo=UTC)
TO_AT = 5.0 * 3600 + 55 * 60  # seconds, from the Floor's 10:00 in New York


def contract_of(trader: Trader) -> Contract:
    return trader.portfolio.positions[AAPL].contract


def timed(trader: Trader) -> Iterator[Order]:
    return (o for o in trader.portfolio.orders.values() if o.spec.role is OrderRole.TIMED)


async def hold(trader: Trader) -> None:
    await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)


async def place(trader: Trader, at: datetime = AT) -> tuple[OrderId, ...]:
    return await place_timed_exits(trader, contract_of(trader), at, timeout=5)


def pass_time(floor: Floor, trader: Trader, seconds: float) -> None:
    floor.clock.advance(seconds)
    floor.move(trader, "149.99", "150.01")


async def flat(trader: Trader) -> None:
    assert await trader.until(lambda p: not (p.positions or p.orders) or None, timeout=5)


async def test_the_day_ends_flat_with_nobody_awake() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        (order_id,) = await place(trader)
        (order,) = timed(trader)
        assert (order.order_id, order.spec.good_after) == (order_id, AT)
        assert order.spec.oca_group
        pass_time(floor, trader, TO_AT - 1)
        assert trader.portfolio.positions
        pass_time(floor, trader, 1)
        await flat(trader)
        ends = {o.spec.role: o.status for o in trader.portfolio.closed.values()}
        assert ends[OrderRole.TIMED] is OrderStatus.FILLED
        assert ends[OrderRole.STOP] is ends[OrderRole.TARGET] is OrderStatus.CANCELLED


async def test_its_bracket_knows_of_its_end_with_and_without_a_restart() -> None:
    """Else it would take the exits that go with it for lost, and shout."""
    for restarts in (False, True):
        floor, journal = Floor(), MemoryJournal(INSTALL)
        told: list[ev.GroupEvent] = []
        async with floor.trader(journal=journal) as trader:
            trader.bus.subscribe(ev.GroupEvent, told.append)
            await hold(trader)
            assert await place(trader) == ("k7qav-1-timed",)
            if not restarts:
                pass_time(floor, trader, TO_AT)
                await flat(trader)
        if restarts:
            async with floor.trader(journal=journal) as trader:
                trader.bus.subscribe(ev.GroupEvent, told.append)
                pass_time(floor, trader, TO_AT)
                await flat(trader)
        assert [one.message for one in told] == ["AAPL is over: 10 in and out again"]
        assert not trader.groups.open_ids


async def test_a_stop_that_fills_before_takes_it_along() -> None:
    """A timed exit that outlived its position would open another one."""
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)
        await place(trader)
        floor.move(trader, "144.90", "144.92")
        await flat(trader)
        pass_time(floor, trader, TO_AT)
        await trader.recovery.synchronize()
        assert not trader.portfolio.positions


async def test_asked_again_it_changes_nothing() -> None:
    async with Floor().trader() as trader:
        await hold(trader)
        broker = trader.broker
        assert isinstance(broker, FallibleBroker)
        first, sent = await place(trader), broker.sent
        assert await place(trader) == first
        assert broker.sent == sent


async def test_another_close_replaces_it() -> None:
    async with Floor().trader() as trader:
        await hold(trader)
        (first,) = await place(trader)
        (second,) = await place(trader, AT.replace(hour=17))
        assert first != second
        (order,) = timed(trader)
        assert order.spec.good_after == AT.replace(hour=17)
        assert len(trader.portfolio.orders) == 3  # the exits are as they were


async def test_a_position_without_exits_gets_one_of_its_own_and_it_grows_with_it() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(4), wait=Wait.FILLED)
        (first,) = await place(trader)
        await desk.submit_order(request(3), wait=Wait.FILLED)
        assert await place(trader) == (first,)
        (order,) = timed(trader)
        assert (order.spec.quantity, order.spec.oca_group) == (Decimal(7), "")


async def test_closing_takes_it_back() -> None:
    async with Floor().trader() as trader:
        await hold(trader)
        await place(trader)
        await close_contract(trader, contract_of(trader), timeout=5)
        assert not trader.portfolio.orders
        assert not trader.portfolio.positions


async def test_beside_a_stop_of_its_own_there_is_none_and_it_says_why() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        stop = msgspec.structs.replace(
            request(side=Side.SELL), order_type=OrderType.STOP, stop_price=Decimal(145)
        )
        await desk.submit_order(stop)
        with pytest.raises(NotTimed, match="is in no one-cancels-all group"):
            await place(trader)
        assert not list(timed(trader))


async def test_one_that_the_broker_did_not_link_is_taken_back() -> None:
    """A broker that ignores the group's name would leave two exits that can both trade."""
    floor = Floor()
    async with floor.trader() as trader:
        await hold(trader)

        def unlink(event: ev.NewOrderEvent) -> None:
            if event.spec.role is OrderRole.TIMED:
                spec = msgspec.structs.replace(event.spec, oca_group="")
                told = ev.AcceptEvent(at=event.at, order_id=event.order_id, spec=spec)
                trader.record.write([told])

        trader.bus.subscribe(ev.NewOrderEvent, unlink)
        with pytest.raises(NotTimed, match="did not link k7qav-1-timed"):
            await place(trader)
        assert not list(timed(trader))
        assert len(trader.portfolio.orders) == 2
        with pytest.raises(NothingToUndo):  # nobody has cancelled anything
            await plan(trader)


async def test_exits_that_go_along_with_a_timed_one_are_told() -> None:
    """Older descriptions of TWS: who cancels one of a group cancels all of it."""
    async with Floor().trader() as trader:
        await hold(trader)
        await place(trader)

        def take_along(event: ev.CancelEvent) -> None:
            if "timed" in event.order_id:
                others = [o for o in trader.portfolio.orders if o != event.order_id]
                trader.record.write([ev.CancelEvent(at=event.at, order_id=o) for o in others])

        trader.bus.subscribe(ev.CancelEvent, take_along)
        with pytest.raises(NotTimed, match="k7qav-1-stop, k7qav-1-target of AAPL went with"):
            await place(trader, AT.replace(hour=17))


async def test_what_our_checks_deny_is_not_placed() -> None:
    guard = RiskGuard(extra=(lambda spec: spec.role is not OrderRole.TIMED,))
    async with Floor().trader(guard=guard) as trader:
        await hold(trader)
        with pytest.raises(RiskCheckError):
            await place(trader)
        assert len(trader.portfolio.orders) == 2
