"""What is still to go, and until when: settled by whoever wants it again, then or before."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.owed_cancels import STANDS, Moment, OwedCancels
from ibkr_trader.orders.wishes import BROKER, RECOVERY
from ibkr_trader.portfolio.broker_words import adopted
from tests.execution.lost_cancels import (
    cancels,
    half_of_two,
    next_link,
    no_cancel_leaves,
    wished_away,
)
from tests.execution.parts import Floor, request

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader

pytestmark = pytest.mark.usefixtures("short_grace")


def by_recovery(journal: MemoryJournal, order_id: OrderId) -> int:
    """How often recovery has asked for the end of an order: its group has a view of its own."""
    asked = (m for _, m in journal.messages() if isinstance(m, CancelOrder))
    return sum(m.order_id == order_id and m.origin == RECOVERY for m in asked)


async def change(trader: Trader, order_id: OrderId) -> None:
    price = trader.portfolio.orders[order_id].spec.limit_price
    assert price is not None
    cheaper = price - Decimal("0.50")
    await trader.router.route(ModifyOrder(order_id=order_id, limit_price=cheaper, origin="cli"))
    status = OrderStatus.SUBMITTED
    assert await trader.until(lambda p: p.orders[order_id].status is status or None, timeout=2)


async def test_half_of_a_group_stays_one_however_long_the_link_stands() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        kept, lost, _ = await half_of_two(trader)
        with no_cancel_leaves("never arrived"):
            await next_link(trader)
            assert trader.portfolio.closed[lost].status is OrderStatus.NOT_SENT
            floor.clock.advance(5 * STANDS)
            await trader.recovery.synchronize()
        await next_link(trader)
        assert trader.portfolio.closed[kept].status is OrderStatus.CANCELLED
    assert cancels(journal, kept) == 2


async def test_a_wish_that_was_lost_for_a_minute_is_over_and_told() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        order_id = await wished_away(trader, floor)
        with no_cancel_leaves("never left"):
            await next_link(trader)
            floor.clock.advance(STANDS)
            await trader.recovery.synchronize()
        await next_link(trader)
        assert trader.portfolio.orders[order_id].status is OrderStatus.SUBMITTED
    assert cancels(journal, order_id) == 1
    told = [m for _, m in journal.messages() if isinstance(m, ev.ErrorEvent)]
    assert [(one.is_serious, "got lost" in one.message) for one in told] == [(True, True)]


async def test_a_new_wish_has_a_time_of_its_own() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        order_id = await wished_away(trader, floor)
        with no_cancel_leaves("never arrived"):
            await next_link(trader)
            floor.clock.advance(STANDS - 10)
            at = floor.clock.now()
            trader.record.write([ev.CancelRequestEvent(at=at, order_id=order_id, origin="cli")])
            floor.clock.advance(30)
            await trader.recovery.synchronize()
        await next_link(trader)
        assert order_id in trader.portfolio.closed


async def foreign_cancel_fails(trader: Trader, order_id: OrderId) -> None:
    """Somebody at TWS asks for its end; it comes to nothing, and nobody hears of that."""
    at = trader.clock.now()
    asked = ev.CancelRequestEvent(at=at, order_id=order_id, origin=BROKER)
    trader.intake.admit([asked])
    assert trader.portfolio.orders[order_id].status is OrderStatus.PENDING_CANCEL
    await next_link(trader)
    assert order_id in trader.portfolio.orders


@pytest.mark.parametrize("settled", ["refused", "changed"])
@pytest.mark.parametrize("again", [False, True])
async def test_a_wish_that_was_settled_is_none_in_the_next_process_either(
    settled: str, again: bool
) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        order_id = await wished_away(trader, floor)
        if settled == "refused":
            at = floor.clock.now()
            no = ev.CancelRejectEvent(at=at, order_id=order_id, code=161, reason="no")
            trader.intake.admit([no])
            await trader.recovery.synchronize()
        else:
            with no_cancel_leaves("never left"):
                await next_link(trader)
            await change(trader, order_id)
        before = cancels(journal, order_id)
        if not again:
            await foreign_cancel_fails(trader, order_id)
    if again:
        async with floor.trader(journal=journal, ack_timeout=600) as trader:
            await foreign_cancel_fails(trader, order_id)
    assert cancels(journal, order_id) == before


async def test_a_repeat_that_is_refused_takes_no_wish_back() -> None:
    """TWS says 10148, of an order whose cancel it has: the first one is on its way."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        order_id, at = await wished_away(trader, floor), floor.clock.now()
        trader.record.write([ev.CancelRequestEvent(at=at, order_id=order_id, origin="cli")])
        no = ev.CancelRejectEvent(at=at, order_id=order_id, code=10148, reason="PendingCancel")
        trader.intake.admit([no])
        pending = OrderStatus.PENDING_CANCEL
        theirs = msgspec.structs.replace(trader.portfolio.orders[order_id], status=pending)
        trader.intake.admit(list(adopted(theirs, at)))  # as the look says that follows
        assert trader.portfolio.orders[order_id].status is pending
        await next_link(trader)
        assert await trader.until(lambda p: order_id in p.closed or None, timeout=2)


@pytest.mark.parametrize("again", [False, True])
async def test_what_recovery_asked_for_and_somebody_then_changed_stays(again: bool) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        kept, _, _ = await half_of_two(trader)
        with no_cancel_leaves("never arrived"):
            await next_link(trader)
        await change(trader, kept)
        before = by_recovery(journal, kept)
        if not again:
            await next_link(trader)
    if again:
        async with floor.trader(journal=journal, ack_timeout=600) as trader:
            await next_link(trader)
    assert by_recovery(journal, kept) == before


async def test_an_alternative_that_somebody_kept_outlives_a_restart() -> None:
    """Recovery once took it for half of two; both were there; then one was taken away."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        kept, lost, arrive = await half_of_two(trader)
        with no_cancel_leaves("never left"):
            await next_link(trader)
        await arrive()
        await next_link(trader)
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        await Desk(trader).cancel_order(lost)
        assert await trader.until(lambda p: lost in p.closed or None, timeout=2)
    before = cancels(journal, kept)
    async with floor.trader(journal=journal, ack_timeout=600) as trader:
        await next_link(trader)
        assert kept in trader.portfolio.orders
    assert cancels(journal, kept) == before


async def test_who_wishes_it_gone_does_so_whatever_recovery_had_against_it() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        owed, moment = OwedCancels(), Moment(1, 0.0)
        owed.listen(trader.bus, [], trader.portfolio)
        owed.add(order)  # as half of a group that it is not
        at = floor.clock.now()
        asked = ev.CancelRequestEvent(at=at, order_id=order.order_id, origin="cli")
        trader.record.write([asked])
        owed.add(trader.portfolio.orders[order.order_id])
        seen = trader.portfolio.orders[order.order_id]
        works = msgspec.structs.replace(seen, status=OrderStatus.SUBMITTED)
        shown = msgspec.structs.replace(trader.portfolio, orders={order.order_id: works})
        assert owed.due(shown, moment).asked == (order.order_id,)
        assert owed.due(shown, Moment(1, STANDS - 1)).asked == (order.order_id,), (
            "asked once, by recovery"
        )
        assert owed.due(shown, Moment(1, STANDS)) == ((), (order.order_id,)), (
            "everybody sees that it works"
        )
