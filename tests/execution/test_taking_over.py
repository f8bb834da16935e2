"""Orders of a lost journal are put on record as ours, all or none; nothing is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import AdoptEvent, FillEvent, StatusEvent
from ibkr_trader.core.models import Fill, FillId, Order, OrderId
from ibkr_trader.execution.desk import cancel
from ibkr_trader.execution.taking_over import CannotTakeOver, take_over
from ibkr_trader.execution.trader import Trader
from ibkr_trader.sim.events import Executed
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, INSTALL, Floor, FullDisk
from tests.orders.samples import values

FIRST, SECOND = OrderId("lost2-3-single"), OrderId("lost2-4-single")


async def met(floor: Floor, trader: Trader, *names: OrderId) -> list[OrderId]:
    """Have orders at the exchange that our client placed from a journal that is gone."""
    for name in names:
        terms = OrderTerms(
            con_id=AAPL, action="BUY", quantity=Decimal(5), order_type="LMT",
            limit_price=Decimal(140), order_ref=name,
        )  # fmt: skip
        number = floor.exchange.orders.next_order_id(1)
        floor.exchange.place(1, number, terms=terms, now=floor.clock.now())
    await trader.recovery.synchronize()
    return list(trader.portfolio.orders)


async def test_all_of_them_are_ours_and_on_record() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        lost = await met(floor, trader, FIRST, SECOND)
        taken = take_over(trader, [*lost, lost[0]], origin="cli")
        assert [one.order_id for one in taken] == [FIRST, SECOND]
        assert list(trader.portfolio.orders) == [FIRST, SECOND]
        told = [m for _, m in trader.journal.messages() if isinstance(m, AdoptEvent)]
        assert [(one.was, one.origin) for one in told] == [(one, "cli") for one in lost]
        after = await cancel(trader, FIRST, timeout=5, origin="cli")
        assert after.status is OrderStatus.CANCELLED
        assert len(floor.exchange.orders.working()) == 1


async def test_one_that_cannot_be_taken_leaves_them_all() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        lost = await met(floor, trader, FIRST)
        with pytest.raises(CannotTakeOver, match="does not work any more") as caught:
            take_over(trader, [*lost, OrderId("foreign-1")], origin="cli")
        assert caught.value.hint == "ibkr-trader reconcile --plan"
        take_over(trader, lost, origin="cli")
        twin = await met(floor, trader, SECOND, SECOND)
        with pytest.raises(CannotTakeOver, match="more than one order is called"):
            take_over(trader, [one for one in twin if one != FIRST], origin="cli")
        assert set(trader.portfolio.orders) == {FIRST, *twin}


async def test_what_cannot_be_written_down_is_not_taken() -> None:
    floor, journal = Floor(), FullDisk()
    async with floor.trader(journal=journal) as trader:
        lost = await met(floor, trader, FIRST)
        journal.is_full = True
        with pytest.raises(JournalError):
            take_over(trader, lost, origin="cli")
        assert list(trader.portfolio.orders) == lost
        journal.is_full = False


@pytest.mark.parametrize("is_restarted", [False, True], ids=["", "restarted"])
async def test_an_execution_that_waits_under_the_old_name_is_the_orders(
    *, is_restarted: bool
) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        lost = await met(floor, trader, FIRST)
        told = executed(floor, trader.portfolio.orders[lost[0]])
        take_over(trader, lost, origin="cli")
        trader.intake.admit([told])
        order = trader.portfolio.orders[FIRST]
        if not is_restarted:
            await trader.recovery.synchronize()
            order = trader.portfolio.orders[FIRST]
    if is_restarted:
        async with floor.trader(journal=journal) as trader:
            order = trader.portfolio.orders[FIRST]
    assert values(order.filled, order.remaining) == (3, 2)
    assert list(trader.portfolio.orders) == [FIRST]
    assert {one.order_id for one in trader.portfolio.fills.values()} == {FIRST}
    assert trader.portfolio.positions[AAPL].quantity == 3
    names = {m.order_id for _, m in journal.messages() if isinstance(m, FillEvent)}
    assert names == {FIRST}


async def test_what_it_is_called_filled_for_brings_no_ghost_of_it_back() -> None:
    """The status is heard before its execution, and the order taken over in that moment."""
    floor = Floor()
    async with floor.trader() as trader:
        lost = await met(floor, trader, FIRST)
        perm_id = trader.portfolio.orders[lost[0]].perm_id
        claim = StatusEvent(
            at=floor.clock.now(), order_id=lost[0], is_working=True, filled=Decimal(3),
            perm_id=perm_id,
        )  # fmt: skip
        trader.intake.admit([claim])
        take_over(trader, lost, origin="cli")
        assert list(trader.portfolio.unheard) == [FIRST]
        await trader.recovery.synchronize()
        assert list(trader.portfolio.orders) == [FIRST]
        assert list(trader.outlook.portfolio.unheard) == []


def executed(floor: Floor, lost: Order) -> FillEvent:
    """Return what the adapter reads, and names, of 3 that the exchange lets an order trade."""
    events = floor.exchange.forcing.trade(lost.perm_id, quantity=Decimal(3), now=floor.clock.now())
    told = next(one.execution for one in events if isinstance(one, Executed))
    family, _, revision = told.exec_id.rpartition(".")
    fill = Fill(
        fill_id=FillId(family),
        revision=int(revision),
        order_id=lost.order_id,
        contract=lost.spec.contract,
        account=lost.spec.account,
        side=lost.spec.side,
        quantity=told.shares,
        price=told.price,
        at=told.at,
        perm_id=lost.perm_id,
        broker_order_id=told.order_id,
        client_id=told.client_id,
    )
    return FillEvent(at=told.at, order_id=lost.order_id, fill=fill)
