"""What a snapshot says of one order, as the events that it would have been."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, TimeInForce
from ibkr_trader.orders.wishes import BROKER

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from datetime import datetime

    from ibkr_trader.core.models import Order, OrderId


def adopted(theirs: Order, at: datetime, *, is_answer: bool = True) -> Iterator[ev.OrderEvent]:
    """Yield what says that an order is open as the broker states it.

    Unless `is_answer`, its terms may be older than a change of ours that is under way.
    """
    yield ev.AcceptEvent(
        at=at,
        order_id=theirs.order_id,
        spec=theirs.spec,
        from_snapshot=is_answer,
        perm_id=theirs.perm_id,
        client_id=theirs.client_id,
        is_foreign=theirs.is_foreign,
    )
    if theirs.status is OrderStatus.INACTIVE:
        yield ev.HoldEvent(at=at, order_id=theirs.order_id, reason=theirs.reason)
        return
    yield ev.StatusEvent(
        at=at,
        order_id=theirs.order_id,
        is_working=theirs.status is not OrderStatus.PRESUBMITTED,
        filled=theirs.reported_filled,
        remaining=theirs.spec.quantity - theirs.reported_filled,
        perm_id=theirs.perm_id,
        client_id=theirs.client_id,
        held_for=theirs.held_for,
    )
    if theirs.status is OrderStatus.PENDING_CANCEL:  # it works, and its cancel has arrived
        yield ev.CancelRequestEvent(at=at, order_id=theirs.order_id, origin=BROKER)


def is_cancel_lost(ours: Order, theirs: Order, unwished: Container[OrderId]) -> bool:
    """Whether a cancel of ours may never have arrived: the broker says nothing of it any more.

    One of somebody else's that came to nothing (`unwished`) is not ours to ask for again.
    """
    is_asked = ours.status is OrderStatus.PENDING_CANCEL and ours.order_id not in unwished
    return is_asked and theirs.status is not OrderStatus.PENDING_CANCEL


def concluded(theirs: Order, at: datetime) -> ev.OrderEvent:
    """Return what says how the broker closed an order."""
    match theirs.status:
        case OrderStatus.FILLED:
            return ev.DoneEvent(at=at, order_id=theirs.order_id, filled=theirs.reported_filled)
        case OrderStatus.REJECTED | OrderStatus.INACTIVE:
            return ev.RejectEvent(
                at=at, order_id=theirs.order_id, code=theirs.code, reason=theirs.reason
            )
        case OrderStatus.EXPIRED:
            return ev.ExpireEvent(at=at, order_id=theirs.order_id, reason=theirs.reason)
        case _:
            return ev.CancelEvent(at=at, order_id=theirs.order_id, reason=theirs.reason)


def ended(order: Order, at: datetime) -> ev.OrderEvent:
    """Return what says that an order was at the broker and is no more; how, nobody says."""
    is_over = order.created_at is not None and not is_same_day(order.created_at, at)
    if order.spec.time_in_force is TimeInForce.DAY and is_over:
        return ev.ExpireEvent(at=at, order_id=order.order_id, reason="its day is over")
    return ev.CancelEvent(at=at, order_id=order.order_id, reason="no longer at the broker")


def is_same_day(one: datetime, other: datetime) -> bool:
    """Whether both moments are surely on one New York day, whatever daylight saving says."""
    return all(
        (one - timedelta(hours=hours)).date() == (other - timedelta(hours=hours)).date()
        for hours in (4, 5)
    )
