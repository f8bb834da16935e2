"""Orders and their news, in the fewest words: what the tests of orders and portfolio share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import Contract, Fill, FillId, GroupId, Order, OrderId, OrderSpec

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ACCOUNT = "SIM0000001"
AAPL = Contract(symbol="AAPL", con_id=265598)
MSFT = Contract(symbol="MSFT", con_id=272093)
GROUP = GroupId("memo-1")


def later(seconds: float) -> datetime:
    """Return the moment so many seconds after the tests begin."""
    return AT + timedelta(seconds=seconds)


def spec(role: OrderRole = OrderRole.SINGLE, *, group: GroupId = GROUP, **terms: Any) -> OrderSpec:
    """Return the terms of a limit order to buy ten AAPL, changed by `terms`."""
    known: dict[str, Any] = {
        "order_id": terms.get("order_id") or make_order_id(group, role),
        "contract": AAPL,
        "account": ACCOUNT,
        "side": Side.BUY,
        "quantity": Decimal(10),
        "order_type": OrderType.LIMIT,
        "limit_price": Decimal(150),
        "broker_order_id": 101,
    }
    return OrderSpec(group_id=group, role=role, **(known | terms))


def bracket_specs(group: GroupId = GROUP, quantity: int = 10) -> tuple[OrderSpec, ...]:
    """Return entry, target and stop of a long bracket."""
    size = Decimal(quantity)
    entry = spec(OrderRole.ENTRY, group=group, quantity=size, broker_order_id=1)
    terms: dict[str, Any] = {
        "side": Side.SELL,
        "quantity": size,
        "parent_id": entry.order_id,
        "time_in_force": TimeInForce.GTC,
    }
    target = spec(
        OrderRole.TARGET, group=group, limit_price=Decimal(155), broker_order_id=2, **terms
    )
    stop = spec(
        OrderRole.STOP,
        group=group,
        order_type=OrderType.STOP,
        limit_price=None,
        stop_price=Decimal(145),
        broker_order_id=3,
        **terms,
    )
    return entry, target, stop


def order(status: OrderStatus = OrderStatus.SUBMITTED, **changes: Any) -> Order:
    """Return an order in `status`; `changes` go to the order, or to its terms."""
    fields = {field.name for field in msgspec.structs.fields(Order)}
    own = {name: value for name, value in changes.items() if name in fields}
    terms = {name: value for name, value in changes.items() if name not in fields}
    known: dict[str, Any] = {"spec": spec(**terms), "status": status, "perm_id": 9001}
    return Order(**(known | own))


def fill(
    quantity: int = 10,
    price: str = "150",
    *,
    key: str = "e1",
    revision: int = 1,
    side: Side = Side.BUY,
    order_id: str = "memo-1-single",
    at: datetime = AT,
    **more: Any,
) -> Fill:
    """Return an execution."""
    known: dict[str, Any] = {"contract": AAPL, "account": ACCOUNT}
    return Fill(
        fill_id=FillId(key),
        revision=revision,
        order_id=OrderId(order_id),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=at,
        **(known | more),
    )


def filled(told: Fill, *, replaces: Fill | None = None, at: datetime | None = None) -> ev.FillEvent:
    """Return the news of an execution."""
    return ev.FillEvent(at=at or told.at, order_id=told.order_id, fill=told, replaces=replaces)


def written(what: OrderSpec, *, at: datetime = AT, kind: str = "single") -> ev.NewOrderEvent:
    """Return the news that an order was written down."""
    return ev.NewOrderEvent(at=at, order_id=what.order_id, spec=what, kind=kind)


def accepted(what: OrderSpec, **more: Any) -> ev.AcceptEvent:
    """Return the broker's statement of an order's terms."""
    known: dict[str, Any] = {"at": AT, "perm_id": 9001, "client_id": 7}
    return ev.AcceptEvent(order_id=what.order_id, spec=what, **(known | more))


def working(order_id: str, filled: int = 0, **more: Any) -> ev.StatusEvent:
    """Return the broker's word that an order works."""
    known: dict[str, Any] = {"at": AT, "is_working": True, "filled": Decimal(filled)}
    return ev.StatusEvent(order_id=OrderId(order_id), **(known | more))


def values(*found: object) -> tuple[object, ...]:
    """Return what was found, to be compared with numbers in plain words."""
    return found
