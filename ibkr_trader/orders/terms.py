"""What an event says of an order beside its status: quantities, terms, ids and words.

The broker's terms are believed, and what only we know is kept: group, role, parent.
"""

from __future__ import annotations

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.models import Order, OrderSpec


def is_restated(order: Order, stated: OrderSpec) -> bool:
    """Whether the broker repeats the old terms while a change of them is under way."""
    if order.desired is None:
        return False
    return _terms(stated) == _terms(order.spec) != _terms(order.desired)


def _terms(spec: OrderSpec) -> tuple[object, ...]:
    # The broker moves the trigger of a trail by itself: that answers nothing.
    stop = None if spec.order_type in (OrderType.TRAIL, OrderType.TRAIL_LIMIT) else spec.stop_price
    return (spec.quantity, spec.limit_price, stop, spec.trail_amount, spec.trail_percent)


def absorb(order: Order, event: ev.OrderEvent) -> Order:
    """Return `order` with what the event says beside the status."""
    replace = msgspec.structs.replace
    match event:
        case ev.FillEvent():
            return replace(
                order,
                filled=order.filled + event.quantity_delta,
                filled_value=order.filled_value + event.value_delta,
                perm_id=event.fill.perm_id or order.perm_id,
            )
        case ev.StatusEvent():
            return replace(
                order,
                # Reports may be late: what was once claimed as filled stays claimed.
                reported_filled=max(order.reported_filled, event.filled),
                perm_id=event.perm_id or order.perm_id,
                client_id=event.client_id or order.client_id,
                held_for="" if event.is_working else event.held_for,
            )
        case ev.DoneEvent():
            return replace(order, reported_filled=max(order.reported_filled, event.filled))
        case ev.AcceptEvent():
            return replace(
                order,
                spec=_confirmed(order, event),
                desired=order.desired if _is_still_wanted(order, event) else None,
                perm_id=event.perm_id or order.perm_id,
                client_id=event.client_id or order.client_id,
                reason=event.warning or order.reason,
            )
        case ev.ModifyEvent():
            return replace(order, desired=event.spec)
        case ev.CommissionEvent():
            return replace(order, commission=order.commission + event.commission)
        case _:
            return _absorb_words(order, event)


def _is_still_wanted(order: Order, event: ev.AcceptEvent) -> bool:
    return not event.from_snapshot and is_restated(order, event.spec)


def _absorb_words(order: Order, event: ev.OrderEvent) -> Order:
    replace = msgspec.structs.replace
    match event:
        case ev.ModifyRejectEvent():
            return replace(order, desired=None, code=event.code, reason=event.reason)
        case (
            ev.CancelEvent()
            | ev.RejectEvent()
            | ev.HoldEvent()
            | ev.CancelRejectEvent()
            | ev.WarningEvent()
        ):
            return replace(order, code=event.code, reason=event.reason or order.reason)
        case ev.NotSentEvent() | ev.UnknownEvent() | ev.ExpireEvent():
            return replace(order, reason=event.reason or order.reason)
        case _:
            return order


def _confirmed(order: Order, event: ev.AcceptEvent) -> OrderSpec:
    """The broker's terms, with what only we know (group, role, parent) kept."""
    theirs, ours = event.spec, order.spec
    return msgspec.structs.replace(
        theirs,
        order_id=ours.order_id,
        group_id=ours.group_id,
        role=ours.role,
        parent_id=ours.parent_id or theirs.parent_id,
        contract=ours.contract if ours.contract.con_id else theirs.contract,
        broker_order_id=theirs.broker_order_id or ours.broker_order_id,
    )
