"""The one order path: the order of its steps, and what a failure in each of them leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus, OrderType
from ibkr_trader.core.errors import BrokerUnavailable, JournalError
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import prepare
from ibkr_trader.risk.verdict import Approved, Denied
from tests.execution.parts import FallibleBroker, Floor, FullDisk, request

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


async def test_command_and_orders_are_on_record_before_the_broker_has_them() -> None:
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        seen: list[list[str]] = []
        broker = trader.broker
        send = broker.send

        async def spy(approved: Approved) -> None:
            seen.append([type(m).__name__ for _, m in journal.messages()][-2:])
            await send(approved)

        broker.send = spy  # type: ignore[method-assign]
        await Desk(trader).submit_order(request(limit="149.00"))
    assert seen == [["SubmitOrders", "NewOrderEvent"]]


async def test_the_journal_has_the_brokers_number_of_each_order() -> None:
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        prepared = await prepare(trader, request(limit="149.00"))
        assert prepared.command.orders[0].broker_order_id == 0
        await trader.router.route(prepared.command)
        await Desk(trader).submit_order(request(limit="148.00"))
    written = [m for _, m in journal.messages() if isinstance(m, SubmitOrders)]
    numbers = [command.orders[0].broker_order_id for command in written]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0
    assert journal.state.last_order_id == numbers[-1]


async def test_a_denial_is_on_record_and_goes_nowhere() -> None:
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        prepared = await prepare(trader, request(5000))
        verdict = await trader.router.route(prepared.command)
        assert isinstance(verdict, Denied)
        assert isinstance(trader.broker, FallibleBroker)
        assert trader.broker.sent == 0
    assert [m.order_id for _, m in journal.messages() if isinstance(m, ev.DenyEvent)] == [
        "k7qav-1-single"
    ]


async def test_a_preview_leaves_no_trace() -> None:
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        prepared = await prepare(trader, request())
        before = list(journal.messages())
        assert isinstance(trader.router.preview(prepared.command), Approved)
        assert list(journal.messages()) == before


async def test_a_second_change_builds_on_the_first() -> None:
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        await trader.router.route(ModifyOrder(order_id=order.order_id, quantity=Decimal(8)))
        await trader.router.route(
            ModifyOrder(order_id=order.order_id, limit_price=Decimal("148.50"))
        )
    changes = [m.spec for _, m in journal.messages() if isinstance(m, ev.ModifyEvent)]
    assert [(int(s.quantity), str(s.limit_price)) for s in changes] == [
        (8, "149.00"),
        (8, "148.50"),
    ]


def spy_on(trader: Trader) -> list[Command]:
    """Return what the broker is handed from now on."""
    sent: list[Command] = []
    send = trader.broker.send

    async def spy(approved: Approved) -> None:
        sent.append(approved.command)
        await send(approved)

    trader.broker.send = spy  # type: ignore[method-assign]
    return sent


async def test_a_change_leaves_with_every_term_that_will_then_hold() -> None:
    """What is approved is what is sent, even if the adapter has forgotten the change before."""
    async with Floor().trader() as trader:
        sent = spy_on(trader)
        order = await Desk(trader).submit_order(request(limit="149.00"))
        await trader.router.route(
            ModifyOrder(order_id=order.order_id, limit_price=Decimal("148.50"))
        )
        await trader.router.route(ModifyOrder(order_id=order.order_id, quantity=Decimal(8)))
    changes = [m for m in sent if isinstance(m, ModifyOrder)]
    assert [(m.quantity, m.limit_price, m.stop_price) for m in changes] == [
        (Decimal(10), Decimal("148.50"), None),
        (Decimal(8), Decimal("148.50"), None),
    ]


async def test_a_change_of_a_trail_repeats_no_price_that_moves_at_the_broker() -> None:
    """Where we last saw its stop is where it was: to state that would pull it back."""
    trail = msgspec.structs.replace(
        request(), order_type=OrderType.TRAIL, trail_amount=Decimal(3), stop_price=Decimal(153)
    )
    async with Floor().trader() as trader:
        sent = spy_on(trader)
        order = await Desk(trader).submit_order(trail)
        await trader.router.route(ModifyOrder(order_id=order.order_id, quantity=Decimal(8)))
        await trader.router.route(
            ModifyOrder(order_id=order.order_id, stop_price=Decimal("152.50"))
        )
    changes = [m for m in sent if isinstance(m, ModifyOrder)]
    assert [(m.quantity, m.stop_price, m.trail_amount) for m in changes] == [
        (Decimal(8), None, Decimal(3)),
        (Decimal(8), Decimal("152.50"), Decimal(3)),
    ]


async def test_a_change_that_changes_nothing_is_denied_as_it_was_asked() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        asked = ModifyOrder(order_id=order.order_id, limit_price=Decimal("149.00"))
        verdict = await trader.router.route(asked)
        assert isinstance(verdict, Denied)
        assert verdict.command == asked


async def test_a_cancel_leaves_with_the_brokers_number() -> None:
    """An adapter that has not seen the order can cancel by nothing else."""
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        sent = spy_on(trader)
        order = await Desk(trader).submit_order(request(limit="149.00"))
        number = order.spec.broker_order_id
        await trader.router.route(CancelOrder(order_id=order.order_id))
        await trader.router.route(
            CancelOrder(order_id=OrderId("k7qav-9-single"), broker_order_id=44)
        )
    asked = [m for m in sent if isinstance(m, CancelOrder)]
    assert number > 0
    assert [m.broker_order_id for m in asked] == [number, 44]
    assert asked == [m for _, m in journal.messages() if isinstance(m, CancelOrder)]


@pytest.mark.parametrize("kind", ["submit", "modify", "cancel"])
async def test_what_could_not_leave_is_on_record_as_not_sent(kind: str) -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        assert isinstance(trader.broker, FallibleBroker)
        prepared = await prepare(trader, request(20, limit="148.00"))
        commands: dict[str, Command] = {
            "submit": prepared.command,
            "modify": ModifyOrder(order_id=order.order_id, quantity=Decimal(5)),
            "cancel": CancelOrder(order_id=order.order_id),
        }
        trader.broker.is_gone = True
        with pytest.raises(BrokerUnavailable):
            await trader.router.route(commands[kind])
        known = trader.portfolio
        if kind == "submit":
            assert known.closed[OrderId("k7qav-2-single")].status is OrderStatus.NOT_SENT
        else:
            after = known.orders[order.order_id]
            assert after.spec == order.spec
            assert after.desired is None


async def test_changes_and_cancels_of_unknown_orders_are_harmless() -> None:
    async with Floor().trader() as trader:
        stranger = OrderId("k7qav-99-single")
        changed = await trader.router.route(ModifyOrder(order_id=stranger, quantity=Decimal(5)))
        assert isinstance(changed, Denied)


async def test_an_opening_without_a_durable_intent_is_not_sent() -> None:
    journal = FullDisk("k7qav")
    async with Floor().trader(journal=journal) as trader:
        prepared = await prepare(trader, request())
        journal.is_full = True
        with pytest.raises(JournalError):
            await trader.router.route(prepared.command)
        assert isinstance(trader.broker, FallibleBroker)
        assert trader.broker.sent == 0
        assert not trader.portfolio.orders
        journal.is_full = False
