"""What an OCO group does when the broker does not: pure rules over its legs.

Every rule looks at how things stand, not at what has just happened, so it holds after a
restart, a lost message, a repeated one, or two in the wrong order. Nothing follows from a
lost connection but that it may have taken along what was asked for: the link at the broker is
then in charge.

Entries: once one has traded, the others go; one whose partner is not there goes too.
Exits: those of a set can never trade more than its size, and a stop is never taken away
while something is left for it to protect. What has traded too much is closed once, by an
order that can only reduce.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import (
    OcaType,
    OrderRole,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import ZERO, Order, OrderSpec
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.core.text import quantity
from ibkr_trader.orders.asking import Want, Word
from ibkr_trader.orders.group import Step
from ibkr_trader.orders.members import traded, why_ended
from ibkr_trader.orders.oco_legs import Legs, OnRace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from ibkr_trader.orders.oco_orders import OCO

GRACE = timedelta(seconds=1)  # what the broker does by itself, it does within this
LINGER = timedelta(seconds=10)  # until no late trade of a closed order is expected any more
ORIGIN = "oco"
_REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_SENT, OrderStatus.DENIED})


def step(group: OCO, at: datetime) -> Step:
    """Return the group with what it asks for and tells at `at`."""
    done = group.memory.after(_wants(group, at), _words(group, at), at=at, group_id=group.group_id)
    ends = all(order.status.is_closed for order in group.orders.values())
    over_at = (group.over_at or at) if ends else None
    is_over = over_at is not None and at - over_at >= LINGER and not _wants_closing(group)
    if (done.memory, over_at, is_over) != (group.memory, group.over_at, group.is_over):
        group = msgspec.structs.replace(group, memory=done.memory, over_at=over_at, is_over=is_over)
    return Step(group, done.commands, done.events)


def surplus(group: OCO) -> Decimal:
    """Return what has traded that nobody wanted, signed, less what was closed of it already.

    Of entries on both sides nobody wanted the mixture: all that is left of it. Of entries on
    one side, what goes beyond one of them. Of exits, what goes beyond all that they were for:
    what one of their sets has traded too much, the others trade less.
    """
    closing = group.closing
    undone = traded(closing) * closing.spec.side.sign if closing is not None else ZERO
    return _overdone(group) + undone


def is_race(group: OCO) -> bool:
    """Whether legs have traded that should have ended each other."""
    if group.legs is Legs.EXITS:
        return any(_done_of(group, key) > size for key, size in group.sizes.items())
    if group.oca_type is not OcaType.CANCEL:
        return bool(_overdone(group))
    return sum(traded(order) > 0 for order in group.members) > 1


def notes(group: OCO) -> Iterator[str]:
    """Yield what a person should know of how the legs are linked, in few words."""
    reduces = group.oca_type is not OcaType.CANCEL
    how = "reduces the others" if reduces else "cancels the others"
    if group.legs is Legs.ENTRIES:
        yield f"Entries: they end nothing that is held. A trade {how}, at IBKR."
        return
    side = group.members[0].spec.side
    yield f"Exits of what is held ({side}): a trade {how}, at IBKR."
    pairs = {key for key in group.sets.values() if len(_set(group, key)) > 1}
    if len(pairs) > 1:
        yield "IBKR reduces pro rata: so each target has as much of a stop beside it."
    alone = [order for order in group.members if len(_set(group, group.sets[order.order_id])) == 1]
    for order in alone:
        what = "stop" if _is_stop(order) else "target"
        yield f"{quantity(order.spec.quantity)} of the {what} stand alone: nothing is beside them."


# -- what it asks for ------------------------------------------------------------------------


def _wants(group: OCO, at: datetime) -> Iterator[Want]:
    if _is_denied(group):
        return  # none of them was sent
    if group.legs is Legs.ENTRIES:
        yield from _entry_wants(group, at)
    else:
        for order in _live(group.members):
            yield from _fit(group, order, at)
    if _wants_closing(group) and _is_quiet(group, at):
        yield from _close(group)


def _entry_wants(group: OCO, at: datetime) -> Iterator[Want]:
    if group.oca_type is OcaType.CANCEL and any(traded(order) for order in group.members):
        winners = [order for order in group.members if traded(order)]
        for order in _live(group.members):
            if len(winners) > 1 or order not in winners:
                yield from _cancel(order)
    elif _missing(group, at) is not None:
        for order in _live(group.members):
            yield from _cancel(order)
    elif group.oca_type is not OcaType.CANCEL:
        for order in _live(group.members):
            yield from _fit(group, order, at)


def _missing(group: OCO, at: datetime) -> Order | None:
    """The entry that is not there, whose partner is then a lone one that nobody asked for.

    One that somebody took back is missed by nobody, whether it ever came to the broker or not.
    """
    if _is_denied(group) or any(traded(one) for one in group.members):
        return None
    for order in group.members:
        if order.order_id in group.waived or not order.status.is_closed:
            continue
        # A cancel of the broker's own may be the sign of a trade that is yet to be told.
        if order.status in _REFUSED or _is_quiet(group, at):
            return order
    return None


def _fit(group: OCO, order: Order, at: datetime) -> Iterator[Want]:
    """Cut a leg that could trade more than is left for its set."""
    key, done = group.sets[order.order_id], traded(order)
    room = _rooms(group)[key]
    if done + room >= group.sizes[key]:
        return  # nothing has been taken from it; its size may be as somebody wants it
    if (order.desired or order.spec).quantity - done <= room:
        return
    if not room:
        yield from _cancel(order)
    elif order.status is not OrderStatus.PENDING_CANCEL and _is_quiet(group, at, key):
        size = done + room
        command = ModifyOrder(order_id=order.order_id, quantity=size, origin=ORIGIN)
        yield Want(f"size {order.order_id} {size}", command)


def _cancel(order: Order) -> Iterator[Want]:
    if order.status is not OrderStatus.PENDING_CANCEL:
        command = CancelOrder(
            order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=ORIGIN
        )
        yield Want(f"cancel {order.order_id}", command)


def _wants_closing(group: OCO) -> bool:
    """Whether a surplus is left that was never closed; legs that live could still add to it."""
    return (
        group.on_race is OnRace.FLATTEN
        and group.closing is None
        and bool(surplus(group))
        and not _live(group.members)
    )


def _close(group: OCO) -> Iterator[Want]:
    """Close the surplus at the market, once: if that order fails, a person has to look."""
    over, like = surplus(group), group.members[0].spec
    spec = OrderSpec(
        order_id=make_order_id(group.group_id, OrderRole.CLOSE),
        group_id=group.group_id,
        role=OrderRole.CLOSE,
        contract=like.contract,
        account=like.account,
        side=Side.closing(over),
        quantity=abs(over),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    command = SubmitOrders(
        group_id=group.group_id,
        orders=(spec,),
        kind="oco",
        origin=ORIGIN,
        reduces=True,
        plan=group.plan,
    )
    yield Want("close the surplus", command)


# -- what it tells ---------------------------------------------------------------------------


def _words(group: OCO, at: datetime) -> Iterator[Word]:
    symbol = group.members[0].spec.contract.symbol
    if is_race(group):
        yield from _race_words(group, at, symbol)
    if group.legs is Legs.ENTRIES:
        yield from _lone_words(group, at, symbol)
    elif not _is_denied(group):
        yield from _exit_words(group, at, symbol)
    ends = all(order.status.is_closed for order in group.orders.values())
    if ends and _is_quiet(group, at) and not surplus(group) and not _is_denied(group):
        done = _done(group) or "nothing traded"
        yield Word("over", f"{symbol} is over: {done}", is_serious=False)


def _race_words(group: OCO, at: datetime, symbol: str) -> Iterator[Word]:
    done, over = _done(group), surplus(group)
    yield Word("race", f"both sides of {symbol} traded: {done}")
    closing, what = group.closing, f"{quantity(abs(over))} {symbol} too many"
    way = "long" if over > 0 else "short"
    if closing is not None and closing.status.is_closed and over:
        why = why_ended(closing)
        yield Word("not closed", f"{what} are held {way}: {closing.order_id}: {why}; close them")
    elif closing is not None and closing.status.is_closed:
        yield Word("closed", f"what was too much of {symbol} is closed again", is_serious=False)
    elif over and closing is None and _is_quiet(group, at) and not _live(group.members):
        if group.on_race is OnRace.FLATTEN:
            yield Word("closing", f"{what} are held {way}: they are closed at the market")
        else:
            yield Word("kept", f"{what} are held {way}, and are kept as you said")


def _lone_words(group: OCO, at: datetime, symbol: str) -> Iterator[Word]:
    gone = _missing(group, at)
    if gone is None:
        return
    why = why_ended(gone)
    rest = "; its partner is cancelled, too" if len(group.members) > 1 else ""
    yield Word("lone", f"{gone.order_id} of {symbol} is not there: {why}{rest}")


def _exit_words(group: OCO, at: datetime, symbol: str) -> Iterator[Word]:
    rooms = _rooms(group)
    for key in rooms:
        mates, room = _set(group, key), rooms[key]
        if not room:
            continue
        for is_stop in (True, False):
            kind = [mate for mate in mates if _is_stop(mate) is is_stop]
            if not kind or _live(kind) or not _is_certain(group, kind, at, key=key):
                continue
            last = kind[-1]
            asked = last.order_id in group.waived
            why = "it was cancelled on request" if asked else why_ended(last)
            if is_stop:
                yield Word(
                    f"naked {key}", f"{quantity(room)} {symbol} are held without their stop: {why}"
                )
            elif not asked:
                left = "; the stop stays" if _live(mates) else ""
                yield Word(f"no target {key}", f"the target of {symbol} is not there: {why}{left}")


def _is_certain(group: OCO, gone: Iterable[Order], at: datetime, *, key: str) -> bool:
    """A refusal is final; a cancel may be the broker's own, because another leg has traded."""
    return all(order.status in _REFUSED for order in gone) or _is_quiet(group, at, key)


# -- how things stand ------------------------------------------------------------------------


def _overdone(group: OCO) -> Decimal:
    if group.legs is Legs.EXITS:
        done = sum((_done_of(group, key) for key in group.sizes), ZERO)
        over = max(ZERO, done - sum(group.sizes.values(), ZERO))
        return over * group.members[0].spec.side.sign
    amounts = [traded(order) * order.spec.side.sign for order in group.members]
    bought, sold = (sum((a for a in amounts if a * way > 0), ZERO) for way in (1, -1))
    if bought and sold:
        return bought + sold
    most = max(map(abs, amounts))
    if group.oca_type is not OcaType.CANCEL:
        most = max(most, *group.sizes.values())
    net = bought + sold
    return max(ZERO, abs(net) - most) * (1 if net > 0 else -1)


def _rooms(group: OCO) -> dict[str, Decimal]:
    """How much each set may still trade: what one has traded too much, the last ones lack."""
    rooms = {key: size - _done_of(group, key) for key, size in group.sizes.items()}
    excess = -sum((min(room, ZERO) for room in rooms.values()), ZERO)
    for key in reversed(rooms):
        cut = min(excess, max(rooms[key], ZERO))
        rooms[key] = max(rooms[key], ZERO) - cut
        excess -= cut
    return rooms


def _done(group: OCO) -> str:
    """What has traded, in words: `BUY 10, SELL 4`."""
    legs = [order for order in group.orders.values() if traded(order)]
    return ", ".join(f"{order.spec.side} {quantity(traded(order))}" for order in legs)


def _done_of(group: OCO, key: str) -> Decimal:
    return sum((traded(order) for order in _set(group, key)), ZERO)


def _is_denied(group: OCO) -> bool:
    return any(order.status is OrderStatus.DENIED for order in group.members)


def _set(group: OCO, key: str) -> list[Order]:
    return [order for order in group.members if group.sets[order.order_id] == key]


def _live(orders: Iterable[Order]) -> list[Order]:
    return [order for order in orders if not order.status.is_closed]


def _is_stop(order: Order) -> bool:
    return order.spec.order_type in STOP_TYPES


def _is_quiet(group: OCO, at: datetime, key: str = "") -> bool:
    """Whether the broker has had its say in a set, or in all of them."""
    moments = [moment for one, moment in group.changed_at.items() if key in ("", one)]
    return all(at - moment >= GRACE for moment in moments)
