"""What a bracket does when the broker does not: pure rules over its orders.

Every rule looks at how things stand, not at what has just happened, so it holds after a
restart, a lost message or a repeated one. What may be as it is for a moment, because the
broker puts it right by itself, is acted upon once it has been so for `GRACE`.

The bound that all of them serve: what the exits can still trade is never more than what is
held and what the entry can still add (of one leg one exit fills, not both), and, once
things are at rest, never less than what is held.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.models import ZERO, Order, OrderId
from ibkr_trader.orders import bracket_repairs as repairs
from ibkr_trader.orders.asking import Want
from ibkr_trader.orders.bracket_growing import will_follow
from ibkr_trader.orders.bracket_words import words
from ibkr_trader.orders.group import Step
from ibkr_trader.orders.linked_orders import Leg, claims, growths
from ibkr_trader.orders.members import traded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.orders.bracket_group import Bracket

# What the broker does by itself, it does within this. Time passes for a group four times a
# second, so that what the broker has not done is done within one.
GRACE = timedelta(seconds=0.5)
ORIGIN = repairs.ORIGIN
# An execution may be told after the end of its order. Until then its exits are asleep.
_MAY_STILL_FILL = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})
_TRIGGER = "trigger"  # what keeps a stop that is awake: its price


class Sizes(msgspec.Struct, frozen=True):
    """How large the legs are to be, by number: for what is held, and at the very most."""

    now: dict[int, Decimal]
    most: dict[int, Decimal]


def step(group: Bracket, at: datetime) -> Step:
    """Return the group with what it asks for and tells at `at`."""
    since = {key: group.since.get(key, at) for key in _unrest(group)}
    if since != group.since:
        group = msgspec.structs.replace(group, since=since)
    due = frozenset(key for key, began in since.items() if at - began >= GRACE)
    wants = tuple(_wants(group, due))
    outcome = group.memory.after(wants, words(group, due), at=at, group_id=group.group_id)
    if outcome.memory is not group.memory:
        group = msgspec.structs.replace(group, memory=outcome.memory)
    # Time tells only of unrest, of what is asked for again, and of words not yet said.
    is_at_rest = not since and not wants and not outcome.events
    return Step(group, outcome.commands, outcome.events, is_at_rest=is_at_rest)


def owes(group: Bracket) -> bool:
    """Whether something is still to be done, though no order works."""
    return repairs.owes(group)


# -- what may not stay as it is --------------------------------------------------------------


def _unrest(group: Bracket) -> Iterator[str]:
    yield from repairs.unrest(group)
    if not _has_traded(group):
        yield from _untraded(group)
        return
    is_growing = not group.entry.status.is_closed
    if is_growing and set(_awake(group)) == {group.held}:
        return  # how it is shared out meanwhile is the broker's business
    sizes = _sizes(group)
    if is_growing:
        if any(order.is_asleep for order in group.exits if not order.status.is_closed):
            yield "asleep"
        if any(not leg.is_spent and not sizes.now[leg.number] for leg in group.parts()):
            yield "crowded"  # too little is held for an exit in each leg
    for leg in group.parts():
        claim = sizes.now.get(leg.number, ZERO)
        for order in _exits(leg):
            if _aim(order) != claim:
                yield f"size {order.order_id}"


def _untraded(group: Bracket) -> Iterator[str]:
    """What may not stay while nothing has traded, or all that had was taken back."""
    if group.entry.status in _MAY_STILL_FILL:
        yield "orphaned"
    elif not group.entry.status.is_closed and any(map(_is_awake, group.exits)):
        yield "early"


def _awake(group: Bracket) -> tuple[Decimal, Decimal]:
    """How much the exits could end now, at least and at most: a stop may lag behind its target.

    Those that wait for the entry are not counted.
    """
    legs = [[o.remaining for o in _exits(leg) if not o.is_asleep] for leg in group.parts()]
    least = sum((min(leg, default=ZERO) for leg in legs), ZERO)
    return least, sum((max(leg, default=ZERO) for leg in legs), ZERO)


def _is_awake(order: Order) -> bool:
    """Whether the broker has said that nothing but its price keeps it; silence says nothing.

    A fill that was taken back leaves exits awake: no broker puts them to sleep again.
    """
    if not order.status.is_open or order.is_asleep:
        return False
    return order.status is OrderStatus.SUBMITTED or _TRIGGER in order.held_for.lower()


def _has_traded(group: Bracket) -> bool:
    return any(traded(entry) for entry in group.entries)


def _sizes(group: Bracket) -> Sizes:
    legs, held = group.parts(), group.held
    return Sizes(claims(legs, held), claims(legs, max(ZERO, held) + group.entry.remaining))


def _exits(leg: Leg) -> Iterator[Order]:
    """The orders that wait, and not one that ends it now."""
    return (order for order in leg.live if order.spec.role is not OrderRole.CLOSE)


def _aim(order: Order) -> Decimal:
    """What the order will still be able to trade, once a change under way is made."""
    return (order.desired or order.spec).quantity - traded(order)


# -- what is wanted --------------------------------------------------------------------------


def _wants(group: Bracket, due: frozenset[str]) -> Iterator[Want]:
    if group.entry.status is OrderStatus.DENIED:
        return  # none of them was sent
    for entry in group.entries:
        if not entry.status.is_closed and _must_give_up(group, entry, due):
            yield from repairs.cancel(entry)
    sizes = _sizes(group)
    for leg in group.parts():
        for order in _exits(leg):
            yield from _cut(group, leg, order, sizes=sizes, due=due)
    yield from _enlarge(group, due)
    yield from repairs.wants(group, due)


def _must_give_up(group: Bracket, entry: Order, due: frozenset[str]) -> bool:
    """Never let an entry trade whose exits are not there, or could trade without it.

    Nor one more whose exits would not follow: it has none of its own.
    """
    if entry is not group.entry:
        return not will_follow(group)
    legs = group.parts()
    if group.closers or all(leg.is_spent for leg in legs):
        return True
    if not due.isdisjoint({"asleep", "crowded", "early"}):
        return True
    return any(_is_bare(group, leg) for leg in legs)


def _is_bare(group: Bracket, leg: Leg) -> bool:
    """Whether what the first entry would add to the leg has no exit, and nobody wants it so."""
    if any(stop.status is OrderStatus.FILLED for stop in leg.of(OrderRole.STOP)):
        return True  # the price is beyond it
    if leg.is_spent:
        return False  # the others take what comes
    stop, targets = leg.of(OrderRole.STOP)[-1], leg.of(OrderRole.TARGET)
    if stop.status.is_closed and stop.order_id not in group.waived:
        return True
    is_refused = bool(targets) and targets[-1].status in repairs.REFUSED
    return is_refused and not _has_traded(group)


def _cut(
    group: Bracket, leg: Leg, order: Order, *, sizes: Sizes, due: frozenset[str]
) -> Iterator[Want]:
    """Cut an exit that could trade more than there is to end."""
    most = sizes.most.get(leg.number, ZERO)
    now = sizes.now.get(leg.number, ZERO)
    key = f"size {order.order_id}"
    if group.entry.status is OrderStatus.NOT_SENT and order.status.is_in_flight:
        return  # it shares its entry's fate, and recovery finds out which
    if not most:
        if "orphaned" in due or "orphaned" not in group.since:
            yield from repairs.cancel(order)
    elif _is_leaving(group, order.order_id):
        return
    elif _aim(order) > most and (key in due or not leg.traded):
        # A fellow exit has traded: the broker cuts this one by itself.
        yield _sized(order, now if key in due and now else most)
    elif key in due and now and _aim(order) > now:
        yield _sized(order, now)


def _enlarge(group: Bracket, due: frozenset[str]) -> Iterator[Want]:
    """Let the exits follow what is held: a scale-in at once, an entry when the broker has not."""
    is_ours, sized = any(traded(entry) for entry in group.entries[1:]), group.sized
    keep = {
        order.order_id
        for order in group.exits
        if order.order_id in sized
        or _is_leaving(group, order.order_id)
        or not (is_ours or f"size {order.order_id}" in due)
    }
    if group.held > 0 and not group.closers:
        for order, quantity in growths(group.parts(), group.held, keep=keep):
            yield _sized(order, quantity - traded(order))


def _sized(order: Order, left: Decimal) -> Want:
    quantity = traded(order) + left
    command = ModifyOrder(order_id=order.order_id, quantity=quantity, origin=ORIGIN)
    return Want(f"size {order.order_id} {quantity}", command)


def _is_leaving(group: Bracket, order_id: OrderId) -> bool:
    """Whether it is being cancelled; what is heard of it after we asked says how that stands."""
    order, asked = group.orders[order_id], group.memory.asked.get(f"cancel {order_id}")
    if order.status is OrderStatus.PENDING_CANCEL:
        return True
    return asked is not None and (order.updated_at is None or order.updated_at <= asked.at)
