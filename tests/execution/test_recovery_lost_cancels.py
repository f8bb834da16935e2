"""A cancel of recovery's that got lost is decided anew on the next link, if it is still wanted."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution import recovery
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.owed_cancels import STANDS, Moment, OwedCancels
from ibkr_trader.execution.placing import prepare
from ibkr_trader.orders.closing import KIND
from ibkr_trader.portfolio import reconciliation
from tests.bad_days.requests import either
from tests.execution.parts import FallibleBroker, Floor, request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.verdict import Approved


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange in process has no second thread that might still hold an order."""
    for module in (recovery, reconciliation):
        monkeypatch.setattr(module, "GRACE", timedelta(0))
    monkeypatch.setattr(recovery, "_SLACK", timedelta(0))


def cancels(journal: MemoryJournal, order_id: OrderId) -> int:
    """How often the cancel of an order was asked for."""
    messages = (message for _, message in journal.messages())
    return sum(isinstance(m, CancelOrder) and m.order_id == order_id for m in messages)


@contextmanager
def no_cancel_leaves(how: str) -> Iterator[None]:
    """Lose cancels: the link goes as they leave, or TWS never gets what it seemed to take."""
    send = FallibleBroker.send

    async def lose(self: FallibleBroker, approved: Approved) -> None:
        if not isinstance(approved.command, CancelOrder):
            await send(self, approved)
        elif how == "never left":
            raise BrokerUnavailable("the link is disconnected")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FallibleBroker, "send", lose)
        yield


async def next_link(trader: Trader) -> None:
    """Have the link come back, and wait until all has been asked on it."""
    assert isinstance(trader.broker, FallibleBroker)
    epoch = trader.portfolio.link.epoch
    trader.broker.open()
    assert await trader.until(lambda p: p.link.epoch > epoch or None, timeout=2)
    assert await trader.until(lambda _: trader.outlook.is_synced or None, timeout=2)
    await trader.recovery.synchronize()  # and again, as whoever asks for it on the same link


async def wished_away(trader: Trader, floor: Floor, *, by: str = "cli") -> OrderId:
    """Have somebody ask for the end of an order that works; it never arrives."""
    order = await Desk(trader).submit_order(request(limit="149.00"))
    asked = ev.CancelRequestEvent(at=floor.clock.now(), order_id=order.order_id, origin=by)
    trader.record.write([asked])
    return order.order_id


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


async def half_of_two(trader: Trader) -> tuple[OrderId, OrderId, Callable[[], Awaitable[None]]]:
    """Send two entries of which one is wanted; the second does not arrive until it is let."""
    prepared = await prepare(trader, either())
    kept, lost = (spec.order_id for spec in prepared.command.orders)
    send, held = FallibleBroker.send, []

    async def lose_one(self: FallibleBroker, approved: Approved) -> None:
        command = approved.command
        assert isinstance(command, SubmitOrders)
        first, second = (msgspec.structs.replace(command, orders=(one,)) for one in command.orders)
        held.append(msgspec.structs.replace(approved, command=second))
        await send(self, msgspec.structs.replace(approved, command=first))

    async def arrive() -> None:
        assert isinstance(trader.broker, FallibleBroker)
        await send(trader.broker, held[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FallibleBroker, "send", lose_one)
        await trader.router.route(prepared.command)
    return kept, lost, arrive


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
