"""What an event says of an order beside its status: quantities, terms, ids and words.

The broker's terms are believed, and what only we know is kept: group, role, parent. Terms
come back for four reasons, told apart here and nowhere else: they repeat what was before,
they answer a change of ours, the broker has moved them by itself (a trail, an adjustment, a
smaller size), or somebody has changed the order by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import ZERO, Order, OrderSpec
from ibkr_trader.core.shapes import TRAIL_TYPES

if TYPE_CHECKING:
    from decimal import Decimal

_CUT = 481  # the broker's code for a size that it made smaller
_REPLACE = msgspec.structs.replace


class Figures(NamedTuple):
    """What a change can change, without what the broker moves by itself."""

    quantity: object
    limit_price: object
    stop_price: object
    trail_amount: object
    trail_percent: object


def figures(spec: OrderSpec) -> Figures:
    """Return what is to be compared of an order's terms: a trail moves its own prices."""
    is_trail = spec.order_type in TRAIL_TYPES
    return Figures(
        spec.quantity,
        None if is_trail else spec.limit_price,
        None if is_trail else spec.stop_price,
        spec.trail_amount,
        spec.trail_percent,
    )


def is_repeated(stated: OrderSpec, *, before: OrderSpec, wanted: OrderSpec) -> bool:
    """Whether the broker only repeats the terms that the change under way is to replace."""
    return figures(stated) == figures(before) != figures(wanted)


def is_answered(stated: OrderSpec, *, before: OrderSpec, wanted: OrderSpec) -> bool:
    """Whether the change under way is over: everything that was to change is as wanted.

    Of two changes in a row the broker may state the first by itself; that answers only it.
    """
    if stated.order_type is not wanted.order_type:
        return True  # it has become another order meanwhile
    was, new, now = figures(before), figures(wanted), figures(stated)
    is_cut = stated.quantity < min(before.quantity, wanted.quantity)
    return (new.quantity in {was.quantity, now.quantity} or is_cut) and all(
        new[at] in {was[at], now[at]} for at in range(1, len(new))
    )


def is_adjusted(stated: OrderSpec, *, before: OrderSpec) -> bool:
    """Whether the broker has turned a stop into what its adjustment says."""
    adjustment = before.adjustment
    if adjustment is None or stated.adjustment is not None:
        return False
    is_trail = adjustment.order_type in TRAIL_TYPES
    return stated.order_type is adjustment.order_type and (
        is_trail or stated.stop_price == adjustment.stop_price
    )


def is_restated(order: Order, stated: OrderSpec) -> bool:
    """Whether a change of the order goes on, by what the broker states."""
    if order.desired is None:
        return False
    return not is_answered(stated, before=order.spec, wanted=order.desired)


def is_override(order: Order, stated: OrderSpec) -> bool:
    """Whether the terms were changed at the broker, and by nobody here.

    While a change of ours is under way nobody can tell, and ours will stand in the end.
    """
    before = order.spec
    if order.desired is not None or not order.status.is_open:
        return False
    if is_adjusted(stated, before=before):
        return False
    if (stated.order_type, stated.time_in_force) != (before.order_type, before.time_in_force):
        return True
    was, now = figures(before), figures(stated)
    if was[1:] != now[1:]:
        return True
    is_sized = before.is_sized_by_others or order.code == _CUT
    return was.quantity != now.quantity and not is_sized


def confirmed(ours: OrderSpec, theirs: OrderSpec) -> OrderSpec:
    """Return the broker's terms, with what only we know (group, role, parent) kept."""
    return _REPLACE(
        theirs,
        order_id=ours.order_id,
        group_id=ours.group_id,
        role=ours.role,
        parent_id=ours.parent_id or theirs.parent_id,
        contract=ours.contract if ours.contract.con_id else theirs.contract,
        broker_order_id=theirs.broker_order_id or ours.broker_order_id,
    )


def absorb(order: Order, event: ev.OrderEvent) -> Order:
    """Return `order` with what the event says beside the status."""
    replace = _REPLACE
    match event:
        case ev.FillEvent():
            filled = order.filled + event.quantity_delta
            return replace(
                order,
                filled=filled,
                heard=max(order.heard, filled),  # what is corrected later was heard of all the same
                taken_back=_taken_back(order, event),
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
            filled = max(order.reported_filled, event.filled)
            return replace(order, reported_filled=filled, is_done=True)
        case ev.AcceptEvent():
            return replace(
                order,
                spec=confirmed(order.spec, event.spec),
                desired=order.desired if _is_still_wanted(order, event) else None,
                is_overridden=_is_overridden(order, event),
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


def _taken_back(order: Order, event: ev.FillEvent) -> Decimal:
    """What of its executions was corrected away, without what a later correction has restored."""
    if event.replaces is None:
        return order.taken_back
    return max(ZERO, order.taken_back - event.quantity_delta)


def _is_still_wanted(order: Order, event: ev.AcceptEvent) -> bool:
    return not event.from_snapshot and is_restated(order, event.spec)


def _is_overridden(order: Order, event: ev.AcceptEvent) -> bool:
    """An override lasts until we have put prices of our own in its place."""
    wanted = order.desired
    if wanted is None or _is_still_wanted(order, event):
        return order.is_overridden or is_override(order, event.spec)
    is_ours = figures(event.spec)[1:] == figures(wanted)[1:] != figures(order.spec)[1:]
    return order.is_overridden and not is_ours


def _is_asked_away(order: Order) -> bool:
    """Whether an earlier cancel is to be asked again, should the order be there after all."""
    is_asking = order.status is OrderStatus.PENDING_CANCEL
    return order.is_unwanted or (is_asking and (order.was_unwanted or not order.perm_id))


def _absorb_words(order: Order, event: ev.OrderEvent) -> Order:
    replace = _REPLACE
    match event:
        case ev.ModifyRejectEvent():
            return replace(order, desired=None, code=event.code, reason=event.reason)
        case ev.CancelEvent() | ev.RejectEvent() | ev.HoldEvent() | ev.WarningEvent():
            if not event.reason and not event.code:
                return order  # `Inactive` after a refusal: what was said of it still stands
            return replace(order, code=event.code, reason=event.reason or order.reason)
        case ev.CancelRequestEvent():
            # Of an order that may not be there yet, the cancel may find nothing.
            is_lost = order.status is OrderStatus.UNKNOWN and not order.perm_id
            return replace(order, is_unwanted=is_lost, was_unwanted=_is_asked_away(order))
        case ev.CancelRejectEvent():
            # The broker has never spoken of it: the cancel may have overtaken the order. One that
            # never left (code 0) tells nothing: what was asked before it still stands.
            is_unwanted = not order.perm_id if event.code else order.was_unwanted
            return replace(
                order,
                code=event.code,
                reason=event.reason or order.reason,
                is_unwanted=is_unwanted,
                was_unwanted=is_unwanted,  # of several that never left, each comes to the same
            )
        case ev.UnknownEvent():
            is_asked = order.status is OrderStatus.PENDING_CANCEL and not order.perm_id
            return replace(
                order,
                reason=event.reason or order.reason,
                # Nobody knows whether the cancel has arrived: it is asked again if the order does.
                is_unwanted=order.is_unwanted or is_asked,
            )
        case ev.NotSentEvent() | ev.ExpireEvent():
            return replace(order, reason=event.reason or order.reason)
        case _:
            return order
