"""OCO groups on the stage: events in, commands and words out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import OrderId, OrderRequest
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.oco_orders import OCO, OCOOrderRequest
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    GROUP,
    accepted,
    fill,
    filled,
    later,
    working,
    written,
)

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command

BUY, SELL = OrderId("memo-1-entry"), OrderId("memo-1-entry.2")
STOP, TARGET = OrderId("memo-1-stop"), OrderId("memo-1-target")
CLOSE = OrderId("memo-1-close")


def leg(side: Side, price: str, quantity: int = 10, **terms: Any) -> OrderRequest:
    """Ask for AAPL at a limit; `kind` makes it another type."""
    kind = terms.pop("kind", OrderType.LIMIT)
    name = "limit_price" if kind is OrderType.LIMIT else "stop_price"
    known: dict[str, Any] = {"symbol": "AAPL", "side": side, "quantity": Decimal(quantity)}
    return OrderRequest(order_type=kind, **(known | {name: Decimal(price)} | terms))


def stop_leg(side: Side, price: str, quantity: int = 10) -> OrderRequest:
    return leg(side, price, quantity, kind=OrderType.STOP)


def setting(held: int = 0, mark: str | None = "150") -> Setting:
    return Setting(
        GROUP,
        AAPL,
        ACCOUNT,
        mark=None if mark is None else Decimal(mark),
        held=Decimal(held),
    )


def entries(*more: OrderRequest, **terms: Any) -> OCOOrderRequest:
    """Ask for the OCO order of the seeds: buy at 145 or sell at 155."""
    return OCOOrderRequest(
        order_a=leg(Side.BUY, "145"), order_b=leg(Side.SELL, "155"), more=more, **terms
    )


def exits(**terms: Any) -> OCOOrderRequest:
    """Ask for target and stop of ten that are held."""
    return OCOOrderRequest(
        order_a=leg(Side.SELL, "155"), order_b=stop_leg(Side.SELL, "145"), **terms
    )


class Play:
    """A group whose orders are written down, accepted and working."""

    def __init__(self, request: OCOOrderRequest, held: int = 0, *, is_sent: bool = True) -> None:
        self.group: OCO = request.group(setting(held))
        self.said: list[ev.GroupEvent] = []
        if not is_sent:
            return
        specs = self.group.open().orders
        self.hear(*(written(one, kind="oco") for one in specs))
        self.hear(*(accepted(one) for one in specs))
        self.hear(*(working(one.order_id) for one in specs))

    def hear(self, *events: ev.BaseEvent) -> list[Command]:
        """Return what the group asks for after `events`; its words pile up in `said`."""
        asked: list[Command] = []
        for event in events:
            step = self.group.react(event)
            assert isinstance(step.group, OCO)
            self.group = step.group
            asked += step.commands
            self.said += [word for word in step.events if isinstance(word, ev.GroupEvent)]
        return asked

    def pass_to(self, seconds: float) -> list[Command]:
        """Let time pass until so many seconds after the beginning."""
        return self.hear(ev.TimeEvent(at=later(seconds)))

    @property
    def messages(self) -> list[str]:
        return [word.message for word in self.said]


def traded(order_id: OrderId, quantity: int = 10, *, key: str = "", at: datetime = AT) -> Any:
    """Return the news of an execution of a leg."""
    side = Side.BUY if order_id == BUY else Side.SELL
    told = fill(quantity, key=key or f"{order_id}{quantity}", order_id=order_id, side=side)
    return filled(told, at=at)


def cancelled(order_id: OrderId, at: datetime = AT) -> ev.CancelEvent:
    return ev.CancelEvent(at=at, order_id=order_id, reason="202")


def rejected(order_id: OrderId) -> ev.RejectEvent:
    return ev.RejectEvent(at=AT, order_id=order_id, code=201, reason="no margin")


def wish(order_id: OrderId, origin: str = "cli") -> ev.CancelRequestEvent:
    return ev.CancelRequestEvent(at=AT, order_id=order_id, origin=origin)
