"""What a bracket does when the broker does not: pure rules over its orders.

Every rule looks at how things stand, not at what has just happened, so it holds after a
restart, a lost message or a repeated one. What has been asked for is asked again only after
`PATIENCE`, and at most `TRIES` times: then a person has to look.

The bound that all of them serve: what the exits can still trade is never more than what
is held and what the entry can still add (one exit fills, not both).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.events import GroupEvent
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import ZERO, Order
from ibkr_trader.core.text import quantity as number
from ibkr_trader.orders.group import Step
from ibkr_trader.orders.members import traded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.orders.bracket_orders import Bracket

GRACE = timedelta(seconds=1)  # what the broker does by itself, it does within this
PATIENCE = timedelta(seconds=5)  # until something asked for is asked for again
TRIES = 3
ORIGIN = "bracket"
_REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_SENT, OrderStatus.DENIED})


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """When something was asked for last, and how many times so far."""

    at: datetime
    times: int


class Want(NamedTuple):
    """Something to ask for; `key` tells it from other things."""

    key: str
    command: Command


class Word(NamedTuple):
    """Something to tell, once."""

    key: str
    message: str
    is_serious: bool = True


def step(group: Bracket, at: datetime) -> Step:
    """Return the group with what it asks for and tells at `at`."""
    lost_at = (group.stop_lost_at or at) if wants_stop(group) else None
    if lost_at != group.stop_lost_at:
        group = msgspec.structs.replace(group, stop_lost_at=lost_at)
    wants = {want.key: want.command for want in _wants(group, at)}
    news = {key: command for key, command in wants.items() if _is_askable(group, key, at)}
    words = tuple(word for word in _words(group, at) if word.key not in group.said)
    if news or words:
        asked = {key: _asked_again(group, key, at) for key in news}
        group = msgspec.structs.replace(
            group,
            asked={**group.asked, **asked},
            said=group.said | {word.key for word in words},
        )
    events = tuple(
        GroupEvent(at=at, group_id=group.group_id, message=word.message, is_serious=word.is_serious)
        for word in words
    )
    return Step(group, tuple(news.values()), events)


def _is_askable(group: Bracket, key: str, at: datetime) -> bool:
    before = group.asked.get(key)
    return before is None or (before.times < TRIES and at - before.at >= PATIENCE)


def _asked_again(group: Bracket, key: str, at: datetime) -> Asked:
    before = group.asked.get(key)
    return Asked(at=at, times=1 if before is None else before.times + 1)


def wants_stop(group: Bracket) -> bool:
    """Whether something is held without a stop, and the one replacement is still to come."""
    stops = _stops(group)
    return (
        group.held > 0
        and all(stop.status.is_closed for stop in stops)
        and len(stops) == 1
        and stops[0].order_id not in group.waived
    )


def _wants(group: Bracket, at: datetime) -> Iterator[Want]:
    if group.entry.status is OrderStatus.DENIED:
        return  # none of the three was sent
    if _must_give_up_entry(group):
        yield from _cancel(group.entry)
    for order in group.exits:
        if not order.status.is_closed:
            yield from _fit(group, order, at)
    if wants_stop(group) and _is_due(group, at):
        yield from _replace_stop(group)


def _must_give_up_entry(group: Bracket) -> bool:
    """Never let an entry trade whose exits are not there, or have already traded."""
    if group.entry.status.is_closed:
        return False
    for order in group.exits:
        if order.status is OrderStatus.FILLED:
            return True
        if not order.status.is_closed or order.order_id in group.waived:
            continue
        if order.spec.role is OrderRole.STOP or (
            order.status in _REFUSED and not traded(group.entry)
        ):
            return True
    return False


def _fit(group: Bracket, order: Order, at: datetime) -> Iterator[Want]:
    """Cut an exit that could trade more than there is to end."""
    room = max(ZERO, group.held) + group.entry.remaining
    terms, done = order.desired or order.spec, traded(order)
    if terms.quantity - done <= room:
        return
    if group.entry.status is OrderStatus.NOT_SENT and order.status.is_in_flight:
        return  # it shares its entry's fate, and recovery finds out which
    if room == 0:
        yield from _cancel(order)
    elif _is_leaving(group, order):
        return
    elif not group.exit_traded_at or at - group.exit_traded_at >= GRACE:
        size = done + room
        command = ModifyOrder(order_id=order.order_id, quantity=size, origin=ORIGIN)
        yield Want(f"size {order.order_id} {size}", command)


def _is_leaving(group: Bracket, order: Order) -> bool:
    return order.status is OrderStatus.PENDING_CANCEL or f"cancel {order.order_id}" in group.asked


def _cancel(order: Order) -> Iterator[Want]:
    if order.status is not OrderStatus.PENDING_CANCEL:
        command = CancelOrder(
            order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=ORIGIN
        )
        yield Want(f"cancel {order.order_id}", command)


def _is_due(group: Bracket, at: datetime) -> bool:
    """A refusal is final; a cancel may be the broker's own, because the target has traded."""
    if _stops(group)[-1].status in _REFUSED:
        return True
    return group.stop_lost_at is not None and at - group.stop_lost_at >= GRACE


def _replace_stop(group: Bracket) -> Iterator[Want]:
    """Put one new stop in place, alone: beside a live target it could trade twice."""
    live = [order for order in group.orders.values() if not order.status.is_closed]
    for order in live:
        yield from _cancel(order)
    if live:
        return
    old = _stops(group)[-1].spec
    spec = msgspec.structs.replace(
        old,
        order_id=make_order_id(group.group_id, OrderRole.STOP, copy=2),
        quantity=group.held,
        parent_id=None,
        oca_group="",
        oca_type=None,
        broker_order_id=0,
    )
    command = SubmitOrders(
        group_id=group.group_id, orders=(spec,), kind="bracket", origin=ORIGIN, reduces=True
    )
    yield Want("replace stop", command)


def _words(group: Bracket, at: datetime) -> Iterator[Word]:
    entry, held = group.entry, group.held
    symbol = entry.spec.contract.symbol
    if held < 0:
        yield Word(
            f"turned {held}",
            f"both exits of {symbol} traded: {number(-held)} too many; close the surplus",
        )
    stops = _stops(group)
    if held > 0 and all(stop.status.is_closed for stop in stops):
        yield from _unprotected(group, stops[-1], held=held, at=at)
    if entry.status.is_closed and not traded(entry):
        reason = f": {entry.reason}" if entry.reason else ""
        message = f"the entry of {symbol} is {entry.status}{reason}"
        yield Word("no entry", message, is_serious=False)
    elif held == 0 and group.is_closed:
        message = f"{symbol} is over: {number(traded(entry))} in and out again"
        yield Word("over", message, is_serious=False)
    for key, asked in group.asked.items():
        if asked.times >= TRIES and _is_unheard(group, key, asked, at=at):
            yield Word(f"unheard {key}", f"asked {TRIES} times in vain: {key}; look at it")


def _unprotected(group: Bracket, stop: Order, *, held: Decimal, at: datetime) -> Iterator[Word]:
    symbol = stop.spec.contract.symbol
    what = f"{number(held)} {symbol} are held without a stop"
    if stop.order_id in group.waived:
        yield Word(f"waived {stop.order_id}", f"{what}: it was cancelled on request")
    elif not wants_stop(group):
        why = stop.reason or f"it is {stop.status}"
        yield Word(f"naked {stop.order_id}", f"{what}, and the new one failed too: {why}; close it")
    elif _is_due(group, at):
        why = stop.reason or f"it is {stop.status}"
        yield Word(f"naked {stop.order_id}", f"{what}: {why}; a new one is being placed")


def _is_unheard(group: Bracket, key: str, asked: Asked, *, at: datetime) -> bool:
    return at - asked.at >= PATIENCE and any(want.key == key for want in _wants(group, at))


def _stops(group: Bracket) -> tuple[Order, ...]:
    return tuple(o for o in group.exits if o.spec.role is OrderRole.STOP)
