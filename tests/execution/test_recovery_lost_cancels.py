"""A cancel of recovery's that got lost is decided anew on the next link, if it is still wanted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.orders.closing import KIND
from tests.execution.lost_cancels import (
    cancels,
    half_of_two,
    next_link,
    no_cancel_leaves,
    wished_away,
)
from tests.execution.parts import Floor

pytestmark = pytest.mark.usefixtures("short_grace")


@pytest.mark.parametrize("how", ["never left", "never arrived"])
async def test_a_wish_that_the_reconnect_lost_is_asked_on_the_next_link(how: str) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        order_id = await wished_away(trader, floor)
        with no_cancel_leaves(how):
            await next_link(trader)
        assert cancels(journal, order_id) == 1, "on this link it has been tried"
        assert not trader.portfolio.orders[order_id].status.is_closed
        await next_link(trader)
        assert trader.portfolio.closed[order_id].status is OrderStatus.CANCELLED
    assert cancels(journal, order_id) == 2
    assert not floor.exchange.orders.working()


async def test_one_that_was_lost_on_every_link_is_asked_on_every_link() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        order_id = await wished_away(trader, floor)
        with no_cancel_leaves("never left"):
            for _ in range(4):
                await next_link(trader)
        assert cancels(journal, order_id) == 4
        await next_link(trader)
    assert not floor.exchange.orders.working()


async def test_what_a_closing_asked_for_is_left_to_the_closing() -> None:
    """One that has given up counts on the stop that it has left; one that goes on asks itself."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        order_id = await wished_away(trader, floor, by=KIND)
    with no_cancel_leaves("never left"):
        async with floor.trader(journal=journal, ack_timeout=60) as trader:
            assert cancels(journal, order_id) == 1
            await next_link(trader)
            assert not trader.portfolio.orders[order_id].status.is_closed
    assert cancels(journal, order_id) == 1


async def test_what_was_changed_since_is_wanted_again() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        order_id = await wished_away(trader, floor)
        with no_cancel_leaves("never left"):
            await next_link(trader)
        change = ModifyOrder(order_id=order_id, limit_price=Decimal("148.50"), origin="cli")
        await trader.router.route(change)
        await next_link(trader)
        assert trader.portfolio.orders[order_id].status is OrderStatus.SUBMITTED
    assert cancels(journal, order_id) == 1


async def test_what_the_broker_has_refused_to_cancel_was_not_lost() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        order_id = await wished_away(trader, floor)
        with no_cancel_leaves("never arrived"):
            await next_link(trader)
        refused = ev.CancelRejectEvent(
            at=floor.clock.now(), order_id=order_id, code=161, reason="not cancellable"
        )
        trader.intake.admit([refused])
        await next_link(trader)
        await next_link(trader)
    assert cancels(journal, order_id) == 1


@pytest.mark.parametrize("how", ["never left", "never arrived"])
async def test_half_a_group_that_the_reconnect_could_not_cancel_goes_on_the_next_link(
    how: str,
) -> None:
    """By then the other half is proven to have come to nothing, and is no news any more."""
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        kept, lost, _ = await half_of_two(trader)
        with no_cancel_leaves(how):
            await next_link(trader)
        assert trader.portfolio.closed[lost].status is OrderStatus.NOT_SENT
        assert not trader.portfolio.orders[kept].status.is_closed
        await next_link(trader)
        assert trader.portfolio.closed[kept].status is OrderStatus.CANCELLED
    assert cancels(journal, kept) == 2
    assert not floor.exchange.orders.working()


async def test_half_a_group_is_wanted_again_once_the_other_half_is_there() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        kept, lost, arrive = await half_of_two(trader)
        with no_cancel_leaves("never left"):
            await next_link(trader)
        await arrive()
        await next_link(trader)
        assert {kept, lost} == set(trader.portfolio.orders)
    assert cancels(journal, kept) == 1


async def test_half_a_group_goes_with_the_next_process_too() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    with no_cancel_leaves("never arrived"):
        async with floor.trader(journal=journal, ack_timeout=60) as trader:
            kept, lost, _ = await half_of_two(trader)
            floor.clock.advance(10)
        async with floor.trader(journal=journal, ack_timeout=60) as trader:
            await next_link(trader)
            assert lost not in trader.portfolio.orders
    assert floor.exchange.orders.working(), "all of them got lost"
    async with floor.trader(journal=journal, ack_timeout=60) as trader:
        assert await trader.until(lambda now: kept in now.closed or None, timeout=2)
    assert not floor.exchange.orders.working()
