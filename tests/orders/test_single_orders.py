"""One order by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import GroupId, OrderRequest, PriceBand
from ibkr_trader.orders.group import ORDER_TYPES, Setting
from ibkr_trader.orders.single_orders import Single
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    GROUP,
    accepted,
    fill,
    filled,
    spec,
    working,
    written,
)


def request(**changes: Any) -> OrderRequest:
    known: dict[str, Any] = {
        "symbol": "AAPL",
        "quantity": Decimal(10),
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "limit_price": Decimal("150.009"),
        "time_in_force": TimeInForce.GTC,
        "outside_rth": True,
    }
    return OrderRequest(**(known | changes))


def test_a_request_becomes_one_order() -> None:
    group = Single.create(request(), Setting(GROUP, AAPL, ACCOUNT))
    command = group.open()
    (order,) = command.orders
    assert (order.order_id, order.role, order.group_id) == (
        "memo-1-single",
        OrderRole.SINGLE,
        GROUP,
    )
    assert (order.contract, order.account) == (AAPL, ACCOUNT)
    assert order.limit_price == Decimal("150.009")
    assert (order.time_in_force, order.outside_rth) == (TimeInForce.GTC, True)
    assert (command.group_id, command.kind) == (GROUP, "single")
    assert not group.is_closed


def test_prices_are_made_legal_when_the_steps_are_known() -> None:
    bands = (PriceBand(Decimal(0), Decimal("0.01")),)
    group = Single.create(request(), Setting(GROUP, AAPL, ACCOUNT, bands))
    assert group.open().orders[0].limit_price == Decimal("150.00")


def test_a_bad_request_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="quantity must be whole"):
        Single.create(request(quantity=Decimal("1.5")), Setting(GROUP, AAPL, ACCOUNT))


def test_it_follows_its_order_and_asks_for_nothing() -> None:
    group = ORDER_TYPES["single"](GROUP, (spec(),), {})
    for event in (written(spec()), accepted(spec()), filled(fill(10))):
        step = group.react(event)
        assert (step.commands, step.events) == ((), ())
        assert step.group is not group
        group = step.group
    assert group.is_closed


@pytest.mark.parametrize(
    "event",
    [
        working("memo-2-single"),
        ev.SyncEvent(at=AT, epoch=1),
        written(spec(group=GroupId("memo-2"))),
        ev.DenyEvent(
            at=AT, order_id=spec().order_id, breaches=(), spec=spec(group=GroupId("memo-2"))
        ),
    ],
)
def test_what_is_not_its_business_changes_nothing(event: ev.BaseEvent) -> None:
    group = ORDER_TYPES["single"](GROUP, (spec(),), {})
    assert group.react(event).group is group
