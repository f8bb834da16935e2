"""An order's way in the fewest words: the signal, the decision, the orders and their news."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import OrderId, OrderSpec, Position
from ibkr_trader.portfolio.forensic_fold import Forensics, forensics
from ibkr_trader.portfolio.forensics import Execution
from tests.orders.samples import AAPL, ACCOUNT, accepted, fill, filled, later, spec

ENTRY, EXIT = OrderId("memo-1-entry"), OrderId("memo-2-close")
WORDS: dict[str, Any] = {"strategy": "flow", "version": "v1", "ticker": "AAPL", "wish": "open"}


def ms(number: float) -> timedelta:
    return timedelta(milliseconds=number)


def signal(price: str | None = "100", *, at: float = 1, issued: float | None = 0.5) -> Any:
    return ev.PredictionSignalEvent(
        at=later(at),
        ticker="AAPL",
        source="desk",
        signal_id="s1",
        issued_at=later(issued) if issued is not None else None,
        signal="BUY",
        confidence=Decimal("0.8"),
        price=Decimal(price) if price is not None else None,
    )


def decision(
    price: str | None = "100.10",
    *,
    at: float = 1.25,
    key: str = "d1",
    rule: str = "buy",
    cause: str = "desk/s1",
) -> ev.DecisionEvent:
    return ev.DecisionEvent(
        at=later(at),
        decision_id=key,
        rule=rule,
        cause=cause,
        price=Decimal(price) if price is not None else None,
        facts={"confidence": "0.8"},
        **WORDS,
    )


def new(
    order_id: str = ENTRY,
    *,
    at: float = 1.5,
    side: Side = Side.BUY,
    because: str = "d1",
    origin: str = "flow/buy",
    **terms: Any,
) -> ev.NewOrderEvent:
    """Return the news that an order was written down: ten at the market, unless told otherwise."""
    known: dict[str, Any] = {
        "order_id": OrderId(order_id),
        "side": side,
        "order_type": OrderType.MARKET,
        "limit_price": None,
    }
    made = spec(OrderRole(order_id.rpartition("-")[2]), **(known | terms))
    return ev.NewOrderEvent(
        at=later(at), order_id=made.order_id, spec=made, origin=origin, correlation_id=because
    )


def stop(
    stop_price: str = "95", *, at: float = 1.5, order_id: str = "memo-1-stop", **terms: Any
) -> ev.NewOrderEvent:
    """Return the news of the stop of a long position of ten."""
    known: dict[str, Any] = {"order_type": OrderType.STOP, "side": Side.SELL}
    known["stop_price"] = Decimal(stop_price)
    return new(order_id, at=at, **(known | terms))


def took(order: ev.NewOrderEvent, *, at: float = 1.6, **terms: Any) -> ev.AcceptEvent:
    made: OrderSpec = order.spec
    if terms:
        made = spec(made.role, **({n: getattr(made, n) for n in made.__struct_fields__
                                   if n not in {"role", "group_id"}} | terms))  # fmt: skip
    return accepted(made, at=later(at))


def traded(
    order: ev.NewOrderEvent,
    quantity: int,
    price: str,
    *,
    at: float = 2,
    key: str = "e1",
    **more: Any,
) -> ev.FillEvent:
    told = fill(
        quantity,
        price,
        key=key,
        side=order.spec.side,
        order_id=order.order_id,
        at=later(at),
        **({"contract": order.spec.contract} | more),
    )
    return filled(told)


def charged(key: str = "e1", cost: str = "1", *, at: float = 3, **more: Any) -> ev.CommissionEvent:
    return ev.CommissionEvent(
        at=later(at), order_id=ENTRY, fill_id=key, commission=Decimal(cost), **more
    )


def synced(quantity: int = 0, *, at: float = 0) -> ev.SyncEvent:
    there = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(quantity), average_cost=Decimal(90)
    )
    return ev.SyncEvent(at=later(at), epoch=1, positions=(there,) if quantity else ())


def found(*events: ev.BaseEvent, since: float | None = None) -> Forensics:
    return forensics(events, since=later(since) if since is not None else None)


def only(*events: ev.BaseEvent) -> Execution:
    (one,) = found(*events).executions
    return one
