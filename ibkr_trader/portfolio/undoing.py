"""What `undo` would place again: the last orders that a person cancelled, as they were.

From the journal's messages alone: which cancels belong to one act, and what the orders were
when they went. What is placed again is sized to what is held today, and judged anew by the
guard like any other order. An act is undone once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.ids import parse_order_id
from ibkr_trader.core.models import GroupId, Order, OrderId
from ibkr_trader.orders import lifecycle
from ibkr_trader.orders.wishes import PERSONS, UNDO

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command

TOGETHER = timedelta(seconds=2)  # cancels that are no further apart belong to one act
_NEVER = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_SENT, OrderStatus.DENIED})


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody cancelled in one go.

    Attributes:
        orders: In the order in which they were asked for.
        at, last_at: When the first and the last of them were.
        correlation_id: What the commands say of themselves; empty if nothing.
    """

    orders: tuple[OrderId, ...]
    at: datetime
    last_at: datetime
    origin: str
    correlation_id: str = ""

    @property
    def key(self) -> str:
        """What tells the act from all others; orders that undo it carry it."""
        return f"{UNDO} {self.orders[0]} {self.at.isoformat()}"

    @property
    def groups(self) -> frozenset[GroupId]:
        """The groups that are concerned."""
        parts = (parse_order_id(order_id) for order_id in self.orders)
        return frozenset(part.group_id for part in parts if part is not None)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The act, and what is known of its orders and of those in their groups.

    Attributes:
        orders: Every order of the groups concerned, as the journal leaves it.
        exits: Those that could only end something when they went out.
        again: What has been placed to undo it already, and stands.
    """

    act: Act
    orders: Mapping[OrderId, Order] = MappingProxyType({})
    exits: frozenset[OrderId] = frozenset()
    again: tuple[OrderId, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the terms of every order of the act are known."""
        return all(order_id in self.orders for order_id in self.act.orders)

    def gone(self) -> tuple[Order, ...]:
        """Return what the act has taken away: cancelled, with something left to trade.

        An exit that went with its entry belongs to it, whoever cancelled it.
        """
        asked = frozenset(self.act.orders)
        return tuple(
            order
            for order in self.orders.values()
            if order.status is OrderStatus.CANCELLED
            and (order.order_id in asked or order.spec.parent_id in asked)
            and left_of(order) > 0
        )

    def siblings(self, group_id: GroupId) -> tuple[Order, ...]:
        """Return the exits of a group that still work."""
        return tuple(
            order
            for order in self.orders.values()
            if order.spec.group_id == group_id
            and order.status.is_open
            and order.spec.role.is_protective
            and order.spec.role is not OrderRole.CLOSE
        )


def left_of(order: Order) -> Decimal:
    """Return what the order had left to trade when it ended."""
    return order.spec.quantity - max(order.filled, order.reported_filled)


def last_act(messages: Iterable[Command | ev.BaseEvent]) -> Act | None:
    """Return what a person cancelled last, or None if nobody has cancelled anything."""
    act: Act | None = None
    is_over = False
    tags: dict[OrderId, str] = {}
    for message in messages:
        match message:
            case CancelOrder():
                tags[message.order_id] = message.correlation_id
            case ev.NewOrderEvent(origin=origin) if origin in PERSONS | {UNDO}:
                is_over = True  # what is cancelled after it is another matter
            case ev.CancelRequestEvent(origin=origin) if origin in PERSONS:
                tag = tags.get(message.order_id, "")
                act = _joined(None if is_over else act, message, tag)
                is_over = False
            case _:
                pass
    return act


def story_of(act: Act, messages: Iterable[Command | ev.BaseEvent]) -> Story:
    """Return what became of the orders of an act, and of those in their groups."""
    orders: dict[OrderId, Order] = {}
    again: dict[OrderId, None] = {}
    undoing: dict[OrderId, Order] = {}
    exits: set[OrderId] = set()
    for message in messages:
        if not isinstance(message, ev.OrderEvent):
            continue
        if isinstance(message, ev.NewOrderEvent):
            if message.correlation_id == act.key:
                again[message.order_id] = None
            if message.reduces:
                exits.add(message.order_id)
        parts = parse_order_id(message.order_id)
        if message.order_id in again:
            _follow(undoing, message)
        elif parts is not None and parts.group_id in act.groups:
            _follow(orders, message)
    stand = tuple(key for key in again if undoing[key].status not in _NEVER)
    return Story(act=act, orders=orders, exits=frozenset(exits), again=stand)


def _follow(orders: dict[OrderId, Order], event: ev.OrderEvent) -> None:
    known = orders.get(event.order_id)
    try:
        after = lifecycle.apply(known, event) if known else lifecycle.open_order(event)
    except InvariantBroken:
        return  # news of an order whose terms were never told here
    if after is not None:  # what is illegal is drift, and leaves the order as it was
        orders[event.order_id] = after


def _joined(act: Act | None, event: ev.CancelRequestEvent, tag: str) -> Act:
    if act is not None and _is_same(act, event, tag):
        orders = act.orders if event.order_id in act.orders else (*act.orders, event.order_id)
        return msgspec.structs.replace(act, orders=orders, last_at=event.at)
    return Act(
        orders=(event.order_id,),
        at=event.at,
        last_at=event.at,
        origin=event.origin,
        correlation_id=tag,
    )


def _is_same(act: Act, event: ev.CancelRequestEvent, tag: str) -> bool:
    if tag or act.correlation_id:
        return tag == act.correlation_id
    return event.origin == act.origin and abs(event.at - act.last_at) <= TOGETHER
