"""The orders of a group, followed: the same fold that the portfolio makes, for a few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.ids import make_order_id, parse_order_id
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderSpec
from ibkr_trader.core.text import broker_words
from ibkr_trader.core.ticks import with_legal_prices
from ibkr_trader.orders import lifecycle

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import OrderRequest
    from ibkr_trader.orders.group import Setting

Members = Mapping[OrderId, Order]


def written(specs: Iterable[OrderSpec]) -> Members:
    """Return the orders as they are when they are about to be sent."""
    return {spec.order_id: Order(spec=spec, status=OrderStatus.PENDING) for spec in specs}


def follow(members: Members, event: ev.BaseEvent, group_id: GroupId) -> Members:
    """Return the group's orders after `event`; the same object if it is not about them."""
    if not isinstance(event, ev.OrderEvent):
        return members
    match event:
        case ev.NewOrderEvent(spec=spec) | ev.DenyEvent(spec=OrderSpec() as spec):
            if spec.group_id != group_id:
                return members
            return {**members, event.order_id: lifecycle.open_order(event)}
        case _:
            known = members.get(event.order_id)
            after = lifecycle.apply(known, event) if known is not None else None
            return members if after is None else {**members, event.order_id: after}


def why_ended(order: Order) -> str:
    """Return why an order works no more: the broker's reason, or what it is if there is none."""
    return broker_words(order.reason) or f"it is {order.status}"


def copy_of(spec: OrderSpec) -> int:
    """Return the how manieth order of its role it is, by its id."""
    ref = parse_order_id(spec.order_id)
    return ref.copy if ref is not None else 1


def next_copy(orders: Iterable[Order], role: OrderRole) -> int:
    """Return the number of the next order to play `role` beside these: 1 if it is the first."""
    copies = (copy_of(order.spec) for order in orders if order.spec.role is role)
    return max(copies, default=0) + 1


def oca_name(group_id: GroupId, leg: int, *, again: int = 1) -> str:
    """Return the name of an OCA group at the broker, never one that was used before.

    Args:
        group_id: The group of ours that its members are of.
        leg: Which alternatives of it are meant.
        again: Counts the times that they were placed.
    """
    return f"{group_id}-x{leg}" if again == 1 else f"{group_id}-x{leg}.{again}"


def traded(order: Order) -> Decimal:
    """Return what has traded: by executions, or by the broker's word until they come.

    That word stands where an execution is corrected later; so what was taken back is no part of it.
    """
    return max(order.filled, order.reported_filled - order.taken_back)


def as_tight(stop: Order) -> OrderSpec:
    """Return the terms that a lost stop is put back with: never wider than it may have stood.

    A change of its price that was under way may have been carried out, and nobody told. It was
    wanted as well; so the tighter of the two counts.
    """
    spec, asked = stop.spec, stop.desired or stop.unanswered
    if asked is None or asked.stop_price is None or spec.stop_price is None:
        return spec
    is_tighter = (asked.stop_price - spec.stop_price) * spec.side.sign < 0
    return msgspec.structs.replace(spec, stop_price=asked.stop_price) if is_tighter else spec


def spec_of(
    request: OrderRequest,
    role: OrderRole,
    setting: Setting,
    *,
    copy: int = 1,
) -> OrderSpec:
    """Return the order that a request asks for, with its id derived.

    Args:
        request: What somebody wants; its own account, if it names one, is kept for the
            guard to judge.
        role: Why the order exists within its group.
        setting: Where the group begins; prices are rounded to its bands, if it has any
            (see `core/ticks.py`).
        copy: Counts the orders that play the role in the group.
    """
    spec = OrderSpec(
        order_id=make_order_id(setting.group_id, role, copy=copy),
        group_id=setting.group_id,
        role=role,
        contract=setting.contract,
        account=request.account or setting.account,
        side=request.side,
        quantity=request.quantity,
        order_type=request.order_type,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_amount=request.trail_amount,
        trail_percent=request.trail_percent,
        adjustment=request.adjustment,
        good_after=request.good_after,
        time_in_force=request.time_in_force,
        outside_rth=request.outside_rth,
    )
    return with_legal_prices(spec, setting.bands) if setting.bands else spec
