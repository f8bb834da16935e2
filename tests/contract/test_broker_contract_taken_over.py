"""An order of a lost journal, behind either broker: a stranger's, and ours once it is on record."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.sim.translate import terms_of
from tests.contract.conftest import Pit
from tests.contract.orders import NOW, limit

NAME = OrderId("lost2-3-entry")  # not of this installation
NUMBER = 77


async def lost(pit: Pit) -> OrderId:
    """Have an order at the exchange that our client has placed and this process has not."""
    theirs = limit(pit, 1, "140.00", order_id=NAME, broker_order_id=NUMBER)
    pit.exchange.place(1, NUMBER, terms=terms_of(theirs, parent_number=0, transmit=True), now=NOW)
    (found,) = (await pit.broker.snapshot()).open_orders
    assert (found.is_foreign, found.client_id, found.spec.reference) == (True, 1, NAME)
    return found.order_id


async def test_it_goes_by_its_name_once_it_is_on_record(pit: Pit) -> None:
    was = await lost(pit)
    pit.broker.on_record = lambda order_id: order_id == NAME
    (found,) = (await pit.broker.snapshot()).open_orders
    assert (found.order_id, found.is_foreign, found.spec.reference) == (NAME, False, "")
    assert (found.spec.group_id, found.spec.role) == (GroupId("lost2-3"), OrderRole.ENTRY)
    mark = len(pit.events)
    pit.quote("139.00", "139.50")
    fill = await pit.until(ev.FillEvent, after=mark)
    assert fill.order_id == fill.fill.order_id == NAME
    await pit.until(ev.DoneEvent, after=mark)
    assert pit.story(was, after=mark) == []
    snapshot = await pit.broker.snapshot()
    assert [one.order_id for one in snapshot.completed_orders] == [NAME]
    assert [one.order_id for one in snapshot.fills] == [NAME]


async def test_it_is_cancelled_at_once(pit: Pit) -> None:
    was = await lost(pit)
    with pytest.raises(BrokerUnavailable):
        await pit.send(CancelOrder(order_id=was, broker_order_id=NUMBER))
    pit.broker.on_record = lambda order_id: order_id == NAME
    await pit.send(CancelOrder(order_id=NAME, broker_order_id=NUMBER))
    cancelled = await pit.until(ev.CancelEvent)
    assert cancelled.order_id == NAME
    assert (await pit.broker.snapshot()).open_orders == ()


async def test_it_is_changed_at_once(pit: Pit) -> None:
    await lost(pit)
    pit.broker.on_record = lambda order_id: order_id == NAME
    await pit.send(
        ModifyOrder(order_id=NAME, quantity=Decimal(10), limit_price=Decimal(141)), reduces=True
    )
    stated = await pit.until(ev.AcceptEvent, lambda event: event.spec.limit_price == 141)
    assert (stated.order_id, stated.is_foreign) == (NAME, False)
    assert len((await pit.broker.snapshot()).open_orders) == 1


async def test_what_was_never_met_is_nobodys(pit: Pit) -> None:
    pit.broker.on_record = lambda order_id: order_id == NAME
    with pytest.raises(BrokerUnavailable):
        await pit.send(ModifyOrder(order_id=NAME, limit_price=Decimal(141)), reduces=True)
