"""A bracket on the stage: news in, commands and words out, in the fewest words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import OrderId, OrderRequest
from ibkr_trader.orders.asking import PATIENCE
from ibkr_trader.orders.bracket_group import Bracket
from ibkr_trader.orders.bracket_orders import BracketOrderRequest, bracket_of
from ibkr_trader.orders.bracket_policy import GRACE
from ibkr_trader.orders.group import Setting
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    GROUP,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    written,
)

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderSpec

ENTRY, TARGET, STOP = (OrderId(f"memo-1-{role}") for role in ("entry", "target", "stop"))
STOP2, TARGET2 = OrderId("memo-1-stop.2"), OrderId("memo-1-target.2")
NEVER = timedelta(days=400)  # no group waits as long for anything
AFTER_GRACE = GRACE.total_seconds() + 0.1
AFTER_PATIENCE = PATIENCE.total_seconds() + 0.1


class Play:
    """A bracket that hears what it is told; `group` is it as it stands, `said` its last words."""

    def __init__(
        self, specs: tuple[OrderSpec, ...] | None = None, *, is_accepted: bool = True
    ) -> None:
        specs = specs or bracket_specs()
        group = bracket_of(GROUP, specs, {})
        assert isinstance(group, Bracket)
        self.group = group
        for one in specs:
            self.hear(written(one, kind="bracket"))
            if is_accepted:
                self.hear(accepted(one))

    def hear(self, *events: ev.BaseEvent) -> list[Command]:
        """Return what the group asks for after `events`; its words are in `said`."""
        asked: list[Command] = []
        self.said: list[ev.GroupEvent] = []
        for event in events:
            step = self.group.react(event)
            assert isinstance(step.group, Bracket)
            self.group = step.group
            if step.is_at_rest:  # whatever the test is about
                assert step.group.react(ev.TimeEvent(at=event.at + NEVER)) == (
                    self.group,
                    (),
                    (),
                    True,
                )
            asked += step.commands
            self.said += [word for word in step.events if isinstance(word, ev.GroupEvent)]
        return asked

    def tick(self, seconds: float) -> list[Command]:
        """Let time pass with an event that is about no order."""
        return self.hear(ev.SyncEvent(at=later(seconds), epoch=1))

    def resize(self, *asked: Command) -> list[Command]:
        """Let the broker do what was asked of the exits, and return what follows."""
        found: list[Command] = []
        for change in asked:
            assert isinstance(change, ModifyOrder)
            assert change.quantity is not None
            order = self.group.orders[change.order_id]
            spec = msgspec.structs.replace(order.spec, quantity=change.quantity)
            asking = ev.ModifyEvent(
                at=order.updated_at or AT, order_id=order.order_id, spec=spec, origin=change.origin
            )
            found += self.hear(asking, accepted(spec, at=asking.at))
        return found

    def sizes(self) -> dict[str, int]:
        """Return what each working exit can still trade, by the end of its id."""
        return {
            order.order_id.removeprefix("memo-1-"): int(order.remaining)
            for order in self.group.exits
            if not order.status.is_closed
        }


def bought(quantity: int = 10) -> ev.FillEvent:
    return filled(fill(quantity, key=f"b{quantity}", order_id=ENTRY))


def sold(quantity: int, order_id: OrderId = TARGET, at: datetime = AT) -> ev.FillEvent:
    told = fill(quantity, "155", key=f"s{quantity}{order_id}", order_id=order_id, side=Side.SELL)
    return filled(told, at=at)


def cancelled(order_id: OrderId, at: datetime = AT) -> ev.CancelEvent:
    return ev.CancelEvent(at=at, order_id=order_id, reason="202")


def rejected(order_id: OrderId) -> ev.RejectEvent:
    return ev.RejectEvent(at=AT, order_id=order_id, code=201, reason="no margin")


def denied(spec: OrderSpec, check: str, room: str, at: datetime = AT) -> ev.DenyEvent:
    breaches = (ev.Breach(check=check, message="others have it", headroom=room),)
    return ev.DenyEvent(at=at, order_id=spec.order_id, breaches=breaches, spec=spec)


def not_sent(order_id: OrderId) -> ev.NotSentEvent:
    return ev.NotSentEvent(at=AT, order_id=order_id, reason="the link was down")


def again(order_id: OrderId) -> OrderSpec:
    """Return the terms of an exit that was put back."""
    _, target, stop = bracket_specs()
    old = target if order_id == TARGET2 else stop
    return msgspec.structs.replace(old, order_id=order_id, parent_id=None, broker_order_id=0)


def closing(asked: list[Command]) -> OrderSpec:
    (command,) = asked
    assert isinstance(command, SubmitOrders)
    assert command.reduces
    (spec,) = command.orders
    assert spec.role is OrderRole.CLOSE
    return spec


def beside(asked: list[Command]) -> OrderSpec:
    """Return the target that is put back beside a stop."""
    (command,) = asked
    assert isinstance(command, SubmitOrders)
    _, target = command.orders
    return target


def cancel(order_id: OrderId, number: int | None = None) -> CancelOrder:
    if number is None:
        number = {ENTRY: 1, TARGET: 2, STOP: 3}[order_id]
    return CancelOrder(order_id=order_id, broker_order_id=number, origin="bracket")


def wish(order_id: OrderId, origin: str = "cli", at: datetime = AT) -> ev.CancelRequestEvent:
    return ev.CancelRequestEvent(at=at, order_id=order_id, origin=origin)


def replacement(asked: list[Command]) -> OrderSpec:
    (command,) = asked
    assert isinstance(command, SubmitOrders)
    assert command.reduces
    stop, *_ = command.orders  # beside its target, if that had to go with it
    assert stop.role is OrderRole.STOP
    return stop


def several(*parts: tuple[str, int], quantity: int = 10) -> Play:
    """Return the stage of a long bracket with a target for each `(price, part)`."""
    entry = OrderRequest(
        symbol="AAPL",
        quantity=Decimal(quantity),
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        limit_price=Decimal(150),
    )
    leave: dict[str, Any] = {"side": Side.SELL, "limit_price": None}
    request = BracketOrderRequest(
        parent=entry,
        stop_loss=msgspec.structs.replace(
            entry, order_type=OrderType.STOP, stop_price=Decimal(145), **leave
        ),
        take_profit=tuple(
            msgspec.structs.replace(
                entry, side=Side.SELL, limit_price=Decimal(price), quantity=Decimal(part)
            )
            for price, part in parts
        ),
    )
    return Play(request.group(Setting(GROUP, AAPL, ACCOUNT)).open().orders)


def size(order_id: str, quantity: int) -> ModifyOrder:
    return ModifyOrder(order_id=OrderId(order_id), quantity=Decimal(quantity), origin="bracket")
