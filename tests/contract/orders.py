"""Orders as the tests of the brokers' contract send them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Contract, GroupId, Order, OrderId, OrderSpec
from ibkr_trader.orders import lifecycle
from tests.contract.conftest import AAPL_ID, Pit

AAPL = Contract(symbol="AAPL", con_id=AAPL_ID)
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def order(pit: Pit, n: int, role: str = "single", **terms: Any) -> OrderSpec:
    """Return a market order to buy 10 of AAPL, changed by `terms`."""
    (number,) = pit.broker.reserve_order_ids(1, floor=1)
    values: dict[str, Any] = {
        "order_id": OrderId(f"k7qav-{n}-{role}"), "group_id": GroupId(f"k7qav-{n}"),
        "role": OrderRole(role), "contract": AAPL, "account": "SIM0000001", "side": Side.BUY,
        "quantity": Decimal(10), "order_type": OrderType.MARKET, "broker_order_id": number,
    }  # fmt: skip
    return OrderSpec(**(values | terms))


def limit(pit: Pit, n: int, price: str, **terms: Any) -> OrderSpec:
    return order(pit, n, order_type=OrderType.LIMIT, limit_price=Decimal(price), **terms)


def bracket(pit: Pit, n: int, **terms: Any) -> tuple[OrderSpec, ...]:
    """Return an entry at the market with a target at 155 and a stop at 145."""
    entry = order(pit, n, "entry", **terms)
    out: dict[str, Any] = {
        "side": Side.SELL, "parent_id": entry.order_id, "time_in_force": TimeInForce.GTC,
        "quantity": entry.quantity,
    }  # fmt: skip
    target = {"order_type": OrderType.LIMIT, "limit_price": Decimal(155)}
    stop = {"order_type": OrderType.STOP, "stop_price": Decimal(145)}
    return (entry, order(pit, n, "target", **out, **target), order(pit, n, "stop", **out, **stop))


def submit(*specs: OrderSpec) -> SubmitOrders:
    return SubmitOrders(group_id=specs[0].group_id, orders=specs)


async def settled(pit: Pit) -> None:
    """Wait until the broker has told all there is: a snapshot comes after it."""
    await pit.broker.snapshot()


async def held(pit: Pit, quantity: int = 10) -> None:
    """Buy some AAPL at the market, so that exits have something to end."""
    spec = order(pit, 99, quantity=Decimal(quantity))
    await pit.send(submit(spec))
    await pit.until(ev.CommissionEvent)
    await settled(pit)


def exit_(pit: Pit, n: int, role: str = "stop", **terms: Any) -> OrderSpec:
    """Return an order to sell 10 of AAPL at the market, changed by `terms`."""
    return order(pit, n, role, **({"side": Side.SELL} | terms))


def followed(pit: Pit, spec: OrderSpec) -> Order:
    """Return the order as its news have made it."""
    known = Order(spec=spec, status=OrderStatus.PENDING)
    for event in pit.events:
        if isinstance(event, ev.OrderEvent) and event.order_id == spec.order_id:
            known = lifecycle.apply(known, event) or known
    return known
