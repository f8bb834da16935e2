"""What groups ask for goes down the order path, and what fails is said aloud."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.group import Step
from ibkr_trader.orders.single_orders import Single
from tests.execution.parts import FallibleBroker, Floor, request
from tests.orders.samples import AAPL
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command, SubmitOrders
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import GroupId, OrderId
    from ibkr_trader.risk.verdict import Approved


class Impatient:
    """A group that cancels its order at the first price it sees."""

    def __init__(self, inner: Single, order_id: OrderId) -> None:
        self.inner = inner
        self.order_id = order_id

    @property
    def group_id(self) -> GroupId:
        return self.inner.group_id

    @property
    def is_closed(self) -> bool:
        return False

    @property
    def follows(self) -> frozenset[Contract]:
        return frozenset({AAPL})

    @property
    def outside_rth(self) -> bool:
        return True

    def open(self) -> SubmitOrders:
        return self.inner.open()

    def react(self, event: BaseEvent) -> Step:
        if isinstance(event, ev.PriceEvent):
            return Step(self, (CancelOrder(order_id=self.order_id, origin="group"),))
        return Step(self)


async def test_a_group_may_act_on_a_price() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        inner = trader.groups.get(order.spec.group_id)
        assert isinstance(inner, Single)
        trader.groups.add(Impatient(inner, order.order_id), (order.order_id,))
        floor.move(trader, "150.00", "150.02")
        ended = await trader.until(lambda p: p.closed.get(order.order_id), timeout=5)
        assert ended is not None
        assert ended.status is OrderStatus.CANCELLED


async def test_what_a_group_could_not_do_is_said_aloud() -> None:
    floor = Floor()
    said: list[str] = []
    async with floor.trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        inner = trader.groups.get(order.spec.group_id)
        assert isinstance(inner, Single)
        trader.groups.add(Impatient(inner, order.order_id), (order.order_id,))
        trader.bus.subscribe(ev.GroupEvent, lambda e: said.append(e.message))
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.is_gone = True
        floor.move(trader, "150.00", "150.02")
        assert await trader.until(lambda _: said or None, timeout=5)
    assert said == [
        f"the cancel of {short_id(order.order_id)} was not sent: the link is disconnected"
    ]


async def test_a_group_that_is_over_is_forgotten() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        group_id = orders[0].spec.group_id
        assert trader.groups.get(group_id) is not None
        floor.move(trader, "155.10", "155.12")
        await trader.until(lambda p: not p.orders or None, timeout=5)
        assert trader.groups.get(group_id) is None


async def test_what_a_group_has_asked_for_outlives_an_error_of_the_caller() -> None:
    floor = Floor()
    arrived: list[Command] = []

    async def trade() -> None:
        async with floor.trader() as trader:
            order = await Desk(trader).submit_order(request(limit="149.00"))
            inner = trader.groups.get(order.spec.group_id)
            assert isinstance(inner, Single)
            trader.groups.add(Impatient(inner, order.order_id), (order.order_id,))

            async def send_slowly(approved: Approved) -> None:
                for _ in range(100):
                    await asyncio.sleep(0)
                arrived.append(approved.command)

            trader.broker.send = send_slowly  # type: ignore[method-assign]
            now = floor.clock.now()
            quote = Quote(contract=AAPL, at=now)
            trader.intake.admit([ev.PriceEvent(at=now, contract=AAPL, quote=quote)])
            message = "the caller's own"
            raise LookupError(message)

    with pytest.raises(LookupError):
        await trade()
    (cancel,) = arrived
    assert isinstance(cancel, CancelOrder)
    assert cancel.order_id == "k7qav-1-single"


async def test_what_the_broker_has_done_already_is_not_asked_for() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        inner = trader.groups.get(order.spec.group_id)
        assert isinstance(inner, Single)
        trader.groups.add(Impatient(inner, order.order_id), (order.order_id,))
        now = floor.clock.now()
        quote = Quote(contract=AAPL, at=now)
        price = ev.PriceEvent(at=now, contract=AAPL, quote=quote)
        trader.intake.admit([price, ev.CancelEvent(at=now, order_id=order.order_id)])
        await trader.groups.idle()
    assert not [m for _, m in journal.messages() if isinstance(m, CancelOrder)]
