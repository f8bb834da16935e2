"""Orders of a lost journal are put on record as ours, all or none; nothing is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import AdoptEvent
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.desk import cancel
from ibkr_trader.execution.taking_over import CannotTakeOver, take_over
from ibkr_trader.execution.trader import Trader
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, Floor, FullDisk

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
