"""The order state machine: one table, and the fold that follows it.

Rule 1: every transition is in `TRANSITIONS`; nothing else sets a status.

An event is first reduced to a `Trigger` (what kind of evidence is this, given what we
know), then looked up. A pair that is missing is illegal: from the broker it is drift and
changes nothing (`apply` returns None), from ourselves it is `InvariantBroken`.

How to read it. Executions decide quantities; statuses only claim. So `FILLED` is reached
by executions (or by the broker's `Filled`, until they arrive), a late `Submitted` never
reopens it, and a fill after `CANCELLED` is a real world possibility that stays cancelled
unless it completes the order. An error code is weak evidence: what was `REJECTED` or
`NOT_SENT` lives again when the broker states its terms. `CANCELLED` came from a status,
so only a snapshot reopens it. What we denied was never sent; if the broker has it all the
same, it counts.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus as S
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import Order
from ibkr_trader.orders.terms import absorb, is_restated

if TYPE_CHECKING:
    from collections.abc import Mapping


class Trigger(StrEnum):
    """The kinds of evidence that can move an order."""

    NOT_SENT = "not sent"
    ACCEPT = "accept"  # the broker stated its terms
    ADOPT = "adopt"  # ... in answer to our question
    RESTATE = "restate"  # ... those that a change under way is to replace
    GROW = "grow"  # ... and they are larger than what has filled
    HOLD = "held"  # status: the broker waits for something
    WORK = "working"
    FILL_PART = "partial fill"
    FILL_ALL = "complete fill"
    BUST = "busted"  # a correction left less filled than the whole
    DONE = "done"  # status: filled, executions may follow
    ASK_MODIFY = "ask modify"
    MODIFY_REFUSED = "modify refused"
    ASK_CANCEL = "ask cancel"
    CANCEL_REFUSED = "cancel refused"
    CANCEL = "cancelled"
    EXPIRE = "expired"
    REJECT = "rejected"
    SET_ASIDE = "set aside"
    LOSE = "lose sight"
    REMARK = "remark"  # a warning, a commission: nothing moves


T = Trigger

# What any live order does, whatever its exact state; each row below starts from it.
_ALIVE: dict[Trigger, S] = {
    T.FILL_PART: S.PARTIALLY_FILLED,
    T.FILL_ALL: S.FILLED,
    T.BUST: S.PARTIALLY_FILLED,
    T.DONE: S.FILLED,
    T.ASK_MODIFY: S.PENDING_MODIFY,
    T.ASK_CANCEL: S.PENDING_CANCEL,
    T.CANCEL: S.CANCELLED,
    T.EXPIRE: S.EXPIRED,
    T.REJECT: S.REJECTED,
    T.SET_ASIDE: S.INACTIVE,
    T.LOSE: S.UNKNOWN,
}


def _alive(here: S, **moves: S) -> dict[Trigger, S]:
    stay = {
        T.ACCEPT: here,
        T.ADOPT: here,
        T.HOLD: here,
        T.WORK: here,
        T.MODIFY_REFUSED: here,
        T.CANCEL_REFUSED: here,
        T.REMARK: here,
    }
    moved = stay | _ALIVE | {Trigger[name]: status for name, status in moves.items()}
    return {T.RESTATE: moved[T.ACCEPT], T.GROW: moved[T.ACCEPT]} | moved


def _closed(here: S, **moves: S) -> dict[Trigger, S]:
    # Late and repeated news of a closed order is normal and changes nothing ...
    late = {trigger: here for trigger in (*_ALIVE, *_alive(here)) if trigger is not T.ASK_MODIFY}
    # ... but an execution is never refused: only its quantity is news.
    return late | {T.ASK_CANCEL: here} | {Trigger[name]: status for name, status in moves.items()}


TRANSITIONS: Mapping[S, Mapping[Trigger, S]] = MappingProxyType(
    {
        S.PENDING: _alive(
            S.PENDING,
            NOT_SENT=S.NOT_SENT,
            ACCEPT=S.PRESUBMITTED,
            ADOPT=S.PRESUBMITTED,
            HOLD=S.PRESUBMITTED,
            WORK=S.SUBMITTED,
        ),
        S.UNKNOWN: _alive(
            S.UNKNOWN,
            NOT_SENT=S.NOT_SENT,
            ASK_CANCEL=S.UNKNOWN,  # asking tells nothing of what is there
            ACCEPT=S.PRESUBMITTED,
            ADOPT=S.PRESUBMITTED,
            HOLD=S.PRESUBMITTED,
            WORK=S.SUBMITTED,
        ),
        S.PRESUBMITTED: _alive(S.PRESUBMITTED, WORK=S.SUBMITTED),
        S.SUBMITTED: _alive(S.SUBMITTED, HOLD=S.PRESUBMITTED),
        S.PARTIALLY_FILLED: _alive(S.PARTIALLY_FILLED),
        # A modify is over when the broker states other terms; refused, the old ones hold.
        S.PENDING_MODIFY: _alive(
            S.PENDING_MODIFY,
            NOT_SENT=S.NOT_SENT,
            ACCEPT=S.SUBMITTED,
            ADOPT=S.SUBMITTED,
            RESTATE=S.PENDING_MODIFY,
            MODIFY_REFUSED=S.SUBMITTED,
        ),
        # A partial fill does not stop a cancel; a refused cancel is settled by a look-up.
        S.PENDING_CANCEL: _alive(
            S.PENDING_CANCEL,
            NOT_SENT=S.NOT_SENT,
            FILL_PART=S.PENDING_CANCEL,
            ASK_MODIFY=S.PENDING_CANCEL,
            ADOPT=S.SUBMITTED,
            CANCEL_REFUSED=S.UNKNOWN,
        ),
        S.INACTIVE: _alive(
            S.INACTIVE,
            ACCEPT=S.PRESUBMITTED,
            ADOPT=S.INACTIVE,
            HOLD=S.PRESUBMITTED,
            WORK=S.SUBMITTED,
        ),
        S.FILLED: _closed(S.FILLED, BUST=S.PARTIALLY_FILLED, GROW=S.PARTIALLY_FILLED),
        # A refusal explains a cancel; the other way round nothing is learned.
        S.CANCELLED: _closed(
            S.CANCELLED,
            FILL_ALL=S.FILLED,
            DONE=S.FILLED,
            ADOPT=S.PRESUBMITTED,
            REJECT=S.REJECTED,
        ),
        S.EXPIRED: _closed(S.EXPIRED, FILL_ALL=S.FILLED, DONE=S.FILLED, ADOPT=S.PRESUBMITTED),
        S.REJECTED: _closed(
            S.REJECTED,
            ACCEPT=S.PRESUBMITTED,
            ADOPT=S.PRESUBMITTED,
            HOLD=S.PRESUBMITTED,
            WORK=S.SUBMITTED,
            FILL_PART=S.PARTIALLY_FILLED,
            FILL_ALL=S.FILLED,
            DONE=S.FILLED,
        ),
        S.NOT_SENT: _closed(
            S.NOT_SENT,
            NOT_SENT=S.NOT_SENT,
            ACCEPT=S.PRESUBMITTED,
            ADOPT=S.PRESUBMITTED,
            HOLD=S.PRESUBMITTED,
            WORK=S.SUBMITTED,
            FILL_PART=S.PARTIALLY_FILLED,
            FILL_ALL=S.FILLED,
            DONE=S.FILLED,
            CANCEL=S.CANCELLED,
            REJECT=S.REJECTED,
        ),
        # It was never sent. Should the broker have it all the same, it counts.
        S.DENIED: {
            T.REMARK: S.DENIED,
            T.ASK_CANCEL: S.DENIED,
            T.ACCEPT: S.PRESUBMITTED,
            T.ADOPT: S.PRESUBMITTED,
            T.FILL_PART: S.PARTIALLY_FILLED,
            T.FILL_ALL: S.FILLED,
        },
    }
)


def trigger_of(order: Order, event: ev.OrderEvent) -> Trigger:
    """Reduce `event` to the kind of evidence it is for `order`."""
    match event:
        case ev.FillEvent():
            return _fill_trigger(order, event)
        case ev.StatusEvent():
            return T.WORK if event.is_working else T.HOLD
        case ev.AcceptEvent():
            return _accept_trigger(order, event)
        case ev.ModifyRejectEvent() if 0 < order.spec.quantity <= order.filled:
            return T.FILL_ALL  # the old terms hold, and they are complete
        case _:
            return _BY_TYPE.get(type(event), T.REMARK)


_BY_TYPE: Mapping[type[ev.OrderEvent], Trigger] = MappingProxyType(
    {
        ev.NotSentEvent: T.NOT_SENT,
        ev.DoneEvent: T.DONE,
        ev.ModifyEvent: T.ASK_MODIFY,
        ev.ModifyRejectEvent: T.MODIFY_REFUSED,
        ev.CancelRequestEvent: T.ASK_CANCEL,
        ev.CancelRejectEvent: T.CANCEL_REFUSED,
        ev.CancelEvent: T.CANCEL,
        ev.ExpireEvent: T.EXPIRE,
        ev.RejectEvent: T.REJECT,
        ev.HoldEvent: T.SET_ASIDE,
        ev.UnknownEvent: T.LOSE,
    }
)


def _fill_trigger(order: Order, event: ev.FillEvent) -> Trigger:
    filled = order.filled + event.quantity_delta
    wanted = order.spec.quantity
    if order.desired is not None:
        wanted = max(wanted, order.desired.quantity)  # the change may have been made already
    if filled >= wanted:
        return T.FILL_ALL
    # Once the broker has called it filled, a correction does not bring the order back.
    is_over = order.reported_filled >= order.spec.quantity
    return T.BUST if event.quantity_delta < 0 and not is_over else T.FILL_PART


def _accept_trigger(order: Order, event: ev.AcceptEvent) -> Trigger:
    stated = event.spec.quantity
    if 0 < stated <= order.filled:
        return T.FILL_ALL
    if order.status is S.FILLED and stated > max(order.filled, order.reported_filled):
        # A stale echo after the broker's `Filled` says nothing; after executions alone it does.
        is_stale = order.is_done and not event.from_snapshot
        return T.ACCEPT if is_stale else T.GROW
    if event.from_snapshot:
        return T.ADOPT
    return T.RESTATE if is_restated(order, event.spec) else T.ACCEPT


def open_order(event: ev.OrderEvent) -> Order:
    """Return the order that `event` is the first news of.

    Raises:
        InvariantBroken: If the event does not carry the order's terms.
    """
    match event:
        case ev.NewOrderEvent():
            return Order(
                spec=event.spec, status=S.PENDING, created_at=event.at, updated_at=event.at
            )
        case ev.DenyEvent(spec=spec) if spec is not None:
            reason = "; ".join(breach.message for breach in event.breaches)
            return Order(
                spec=spec, status=S.DENIED, reason=reason, created_at=event.at, updated_at=event.at
            )
        case ev.AdoptEvent(order=order):
            return order
        case ev.AcceptEvent():
            return Order(
                spec=event.spec,
                status=S.PRESUBMITTED,
                perm_id=event.perm_id,
                client_id=event.client_id,
                is_foreign=event.is_foreign,
                created_at=event.at,
                updated_at=event.at,
            )
        case _:
            message = f"{type(event).__name__} is news of {event.order_id}, which nobody knows"
            raise InvariantBroken(message)


def apply(order: Order, event: ev.OrderEvent) -> Order | None:
    """Return `order` after `event`, or None if the event is illegal in its state.

    An illegal event from the broker is drift: the caller records it and goes on.
    """
    trigger = trigger_of(order, event)
    status = TRANSITIONS[order.status].get(trigger)
    if status is None:
        return None
    changed = absorb(order, event)
    unanswered = None
    if status.is_closed:
        unanswered = changed.desired or order.unanswered
        changed = msgspec.structs.replace(changed, desired=None)
        if order.status.is_closed:  # late words do not change the terms it closed under
            changed = msgspec.structs.replace(changed, spec=order.spec)
    # Which of the working states it is follows from the quantities and the broker's hold.
    elif status in _WORKING and changed.filled > 0:
        status = S.PARTIALLY_FILLED
    elif status is S.PARTIALLY_FILLED and changed.filled <= 0:
        status = S.SUBMITTED
    elif status is S.SUBMITTED and changed.held_for and trigger is not T.WORK:
        status = S.PRESUBMITTED
    return msgspec.structs.replace(
        changed, status=status, updated_at=event.at, unanswered=unanswered
    )


_WORKING = frozenset({S.PRESUBMITTED, S.SUBMITTED})
