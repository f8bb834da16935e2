"""How a bracket puts right what went wrong: a stop put back, a surplus closed at the market.

A stop that was lost is put back once, with its target, at the prices it had: never wider.
If that is refused too, or what is held came too late for any exit, it is closed at the
market. Each is done once: then a person has to look.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, TimeInForce
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import ZERO, Order, OrderSpec
from ibkr_trader.orders.asking import TRIES, Want
from ibkr_trader.orders.linked_orders import Leg, claims
from ibkr_trader.orders.members import as_tight, oca_name, traded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.events import DenyEvent
    from ibkr_trader.orders.bracket_group import Bracket

ORIGIN = "bracket"
REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_SENT, OrderStatus.DENIED})


class Remedy(Enum):
    """What a leg without a working stop calls for."""

    NONE = auto()
    REPLACE = auto()
    CLOSE = auto()


def remedy(group: Bracket, leg: Leg) -> Remedy:
    """Return what becomes of a leg, by what became of its last stop."""
    stops = leg.of(OrderRole.STOP)
    if leg.is_spent or not stops[-1].status.is_closed or not claim(group, leg):
        return Remedy.NONE
    last, again = stops[-1], len(stops) - 1
    if last.order_id in group.waived:
        return Remedy.NONE
    if not again:
        return Remedy.REPLACE
    if _is_too_large(group, last) and again < TRIES:
        return Remedy.REPLACE  # a part of it was sold elsewhere: the rest gets its stop
    if last.status in (OrderStatus.REJECTED, OrderStatus.DENIED):
        return Remedy.CLOSE if _can_close(group) else Remedy.NONE
    if last.status is OrderStatus.NOT_SENT:  # nobody has refused it: the link was down
        return Remedy.REPLACE if again < TRIES else Remedy.NONE
    return Remedy.NONE  # cancelled twice: somebody means it


def claim(group: Bracket, leg: Leg) -> Decimal:
    """Return how much of what is held the leg has to end: no more than somebody left to it."""
    found = claims(group.parts(), group.held).get(leg.number, ZERO)
    last = leg.of(OrderRole.STOP)[-1]
    if _is_too_large(group, last):
        return min(found, group.room)
    if last.order_id in group.sized:
        return min(found, last.spec.quantity - traded(last))
    return found


def _is_too_large(group: Bracket, exit_: Order) -> bool:
    """Whether an exit that was put back was denied for its size, and a smaller one would do."""
    return exit_.status is OrderStatus.DENIED and ZERO < group.room < exit_.spec.quantity


def owes(group: Bracket) -> bool:
    """Whether a repair is still to come, though no order works."""
    if any(remedy(group, leg) is not Remedy.NONE for leg in group.parts()):
        return True
    return (is_turned(group) or is_late(group)) and _can_close(group)


def is_turned(group: Bracket) -> bool:
    """Whether more was ended than was held: both exits of a leg have traded."""
    return group.held < 0


def is_late(group: Bracket) -> bool:
    """Whether something came in after the last exit had traded.

    Where somebody has sized that exit, what it left has either gone another way already, or
    was meant to stay: it is not the group's to sell.
    """
    spent = {order.order_id for order in group.exits if order.status is OrderStatus.FILLED}
    return (
        group.held > 0
        and all(leg.is_spent for leg in group.parts())
        and group.sized.isdisjoint(spent)
    )


def room(event: DenyEvent) -> Decimal:
    """Return how much of what was denied would only close: none, if nobody objected to its size.

    What else is said against it is mostly said of the surplus, which opens; a smaller one is
    judged anew.
    """
    found = [one.headroom for one in event.breaches if one.check == "reduce_only"]
    return Decimal(found[0]) if found else ZERO


def unrest(group: Bracket) -> Iterator[str]:
    """Yield what may not stay as it is, by name."""
    if is_turned(group):
        yield "turned"
    if is_late(group):
        yield "late"
    for leg in group.parts():
        if remedy(group, leg) is not Remedy.NONE:
            yield f"lost {leg.number}"


def is_due(leg: Leg, due: frozenset[str]) -> bool:
    """Whether the broker has had its say.

    A refusal is final; a cancel may be the broker's own, because the target has traded. If
    that is gone too, nothing has.
    """
    last = leg.of(OrderRole.STOP)[-1]
    is_all_gone = not leg.live and bool(leg.of(OrderRole.TARGET))
    return last.status in REFUSED or is_all_gone or f"lost {leg.number}" in due


def wants(group: Bracket, due: frozenset[str]) -> Iterator[Want]:
    """Yield what is to be put back, and what is to be closed at the market."""
    for leg in group.parts():
        what = remedy(group, leg)
        if what is Remedy.NONE or not is_due(leg, due):
            continue
        # Beside a live target a new stop could trade twice, and an entry would outgrow it.
        live = [order for order in (*group.entries, *leg.orders) if not order.status.is_closed]
        for order in live:
            yield from cancel(order)
        if not live:
            is_close = what is Remedy.CLOSE
            yield _close(group, leg, claim(group, leg)) if is_close else _replacement(group, leg)
    is_surplus = (is_turned(group) and "turned" in due) or (is_late(group) and "late" in due)
    waiting = (*group.entries, *group.exits)
    if is_surplus and _can_close(group) and all(order.status.is_closed for order in waiting):
        yield _close(group, group.parts()[0], group.held)


def cancel(order: Order) -> Iterator[Want]:
    """Yield the cancel of an order, unless one is under way."""
    if order.status is not OrderStatus.PENDING_CANCEL:
        command = CancelOrder(
            order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=ORIGIN
        )
        yield Want(f"cancel {order.order_id}", command)


def _can_close(group: Bracket) -> bool:
    """Whether a closing order may go out: none works, and none has failed.

    One that was denied for being too large, other exits being there, goes out once as it fits.
    """
    closers = group.closers
    if len(closers) >= TRIES or any(not order.status.is_closed for order in closers):
        return False
    failed = [o for o in closers if o.status not in (OrderStatus.FILLED, OrderStatus.NOT_SENT)]
    return not failed or (bool(group.room) and failed == [closers[-1]])


def _replacement(group: Bracket, leg: Leg) -> Want:
    """A new stop at the old one's price, and beside it the target that had to go with it."""
    stops = leg.of(OrderRole.STOP)
    targets = [target for target in leg.of(OrderRole.TARGET)[-1:] if _may_return(group, target)]
    name = oca_name(group.group_id, leg.number, again=len(stops) + 1) if targets else ""
    # The stop first: it is what is missing.
    specs = tuple(_again(group, leg, lost, oca=name) for lost in (stops[-1], *targets))
    return _submit(group, f"replace {specs[0].order_id}", specs)


def _may_return(group: Bracket, target: Order) -> bool:
    if target.order_id in group.waived:
        return False
    is_gone = target.status in (OrderStatus.CANCELLED, OrderStatus.NOT_SENT)
    return is_gone or _is_too_large(group, target)  # denied together with its stop


def _again(group: Bracket, leg: Leg, lost: Order, *, oca: str) -> OrderSpec:
    """The order once more, alone at the broker or with its fellow; the id says whose leg."""
    role = lost.spec.role
    # Counted by stops for both: of two that are denied together the target is told last.
    copy = leg.number + len(group.shares) * len(leg.of(OrderRole.STOP))
    return msgspec.structs.replace(
        as_tight(lost) if role is OrderRole.STOP else lost.spec,
        order_id=make_order_id(group.group_id, role, copy=copy),
        quantity=claim(group, leg),
        parent_id=None,
        oca_group=oca,
        oca_type=OcaType.REDUCE if oca else None,
        broker_order_id=0,
    )


def _close(group: Bracket, leg: Leg, quantity: Decimal) -> Want:
    """End `quantity` at the market; a negative one is bought back (or sold again).

    What was denied once is no larger than what there was room for.
    """
    entry = group.entry.spec
    copy = leg.number + len(group.shares) * len(leg.of(OrderRole.CLOSE))
    spec = OrderSpec(
        order_id=make_order_id(group.group_id, OrderRole.CLOSE, copy=copy),
        group_id=group.group_id,
        role=OrderRole.CLOSE,
        contract=entry.contract,
        account=entry.account,
        side=entry.side.opposite if quantity > 0 else entry.side,
        quantity=min(abs(quantity), group.room or abs(quantity)),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    return _submit(group, f"close {spec.order_id}", (spec,))


def _submit(group: Bracket, key: str, specs: tuple[OrderSpec, ...]) -> Want:
    command = SubmitOrders(
        group_id=group.group_id, orders=specs, kind="bracket", origin=ORIGIN, reduces=True
    )
    return Want(key, command)
