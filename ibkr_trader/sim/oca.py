"""One cancels all: what a fill does to the other orders of its group.

A group is a name, and the orders of the account that carry it, whatever they trade. Type 1
cancels the others at the first fill, be it a partial one. Types 2 and 3 take the same part off
each of them that the fill took off its own order, and cancel what has nothing left. The exits
that TWS groups by itself are sized by their entry (`families.py`) and not by proportion.

Every order remembers how much of its fills the group was told of. So the group can be told
late (`FloorRules.slow_oca`), and a restart in between loses nothing.
"""

from decimal import ROUND_HALF_UP, Decimal

import msgspec

from ibkr_trader.sim import refusals
from ibkr_trader.sim.life import cancel, fill, rearrange
from ibkr_trader.sim.matching import CLOSE_TYPES, Trade
from ibkr_trader.sim.orders import (
    OPENING_TIFS,
    OrderKey,
    OrderTerms,
    Refusal,
    SimOrder,
    SimStatus,
)
from ibkr_trader.sim.pit import Pit

CANCEL, REDUCE, REDUCE_NO_BLOCK = 1, 2, 3
TYPES = frozenset({CANCEL, REDUCE, REDUCE_NO_BLOCK})
replace = msgspec.structs.replace


# -- joining ------------------------------------------------------------------------------


def join_refusal(pit: Pit, terms: OrderTerms) -> Refusal | None:
    """Return why an order may not be in the group it names, or None."""
    if not terms.oca_group:
        return None
    is_in_auction = terms.order_type in CLOSE_TYPES or terms.tif in OPENING_TIFS
    if is_in_auction or terms.oca_type not in TYPES | {0}:
        return refusals.OCA_HANDLING
    members = _members(pit, terms.oca_group)
    live = [order for order in members if not order.status.is_closed]
    if any(_has_ended(order) for order in members) and not live:
        return refusals.OCA_OVER
    if terms.oca_type and any(order.oca_type != terms.oca_type for order in live):
        return refusals.OCA_TYPE_REVISED
    return None


def type_for(pit: Pit, terms: OrderTerms) -> int:
    """Return the type of a group's new member: its own, the group's, or what TWS assumes."""
    live = (one for one in _members(pit, terms.oca_group) if not one.status.is_closed)
    first = next(live, None)
    return terms.oca_type or (first.oca_type if first is not None else REDUCE_NO_BLOCK)


def _has_ended(order: SimOrder) -> bool:
    """Whether an order's fills have used its group up."""
    is_used = order.oca_type == CANCEL and order.filled > 0
    return order.status is SimStatus.FILLED or is_used


def _members(pit: Pit, group: str) -> list[SimOrder]:
    return [pit.ledger.orders[key] for key in pit.ledger.groups.get(group, ())]


# -- fills --------------------------------------------------------------------------------


def execute(pit: Pit, order: SimOrder, trade: Trade) -> None:
    """Book a trade, and let the order's group know: now, or (slow) in the next second."""
    order = fill(pit, order, trade)
    if not order.oca_group:
        return
    if order.oca_type in pit.rules.slow_oca:
        pit.slow_groups[order.oca_group] = None
    else:
        _sweep(pit, order.oca_group)


def catch_up(pit: Pit) -> None:
    """Tell the groups that were not told at once."""
    groups, pit.slow_groups = pit.slow_groups, {}
    for group in groups:
        _sweep(pit, group)


def remember_untold(pit: Pit) -> None:
    """After a restart: note the groups that had not been told of all their fills."""
    for order in pit.ledger.orders.values():
        if order.oca_group and order.filled != order.oca_told:
            pit.slow_groups[order.oca_group] = None


def follow_cancel(pit: Pit, order: SimOrder) -> None:
    """Cancel the others of a group whose member its client took back, if that is the rule."""
    if pit.rules.cancels_whole_oca and order.oca_group:
        for key in _others(pit, order):
            other = pit.order(key)
            if other is not None:
                cancel(pit, other)


def _sweep(pit: Pit, group: str) -> None:
    for key in tuple(pit.ledger.groups.get(group, ())):
        order = pit.ledger.orders[key]
        fresh = order.filled - order.oca_told
        if fresh > 0:
            _spread(pit, pit.put(replace(order, oca_told=order.filled)), fresh)


def _spread(pit: Pit, order: SimOrder, fresh: Decimal) -> None:
    """Take from the others of the group what one of them has traded."""
    before = order.whole - order.filled + fresh
    part = min(Decimal(1), fresh / before) if before > 0 else Decimal(1)
    families: dict[OrderKey, None] = {}
    for key in _others(pit, order):
        other = pit.order(key)
        if other is None:
            continue  # it went with one before it
        if other.oca_type == CANCEL:
            cancel(pit, other)
        elif other.parent_key is None:
            _cut(pit, other, part)
        else:
            if other.terms.oca_group:
                pit.put(replace(other, oca_cut=other.oca_cut + _loss(other, part)))
            families[other.parent_key] = None
    if order.parent_key is not None:
        families[order.parent_key] = None
    for parent in families:
        rearrange(pit, parent)


def _others(pit: Pit, order: SimOrder) -> list[OrderKey]:
    return [key for key in pit.ledger.groups[order.oca_group] if key != order.key]


def _cut(pit: Pit, order: SimOrder, part: Decimal) -> None:
    loss = _loss(order, part)
    order = pit.put(replace(order, oca_cut=order.oca_cut + loss))
    left = order.quantity - loss
    if left <= order.filled:
        cancel(pit, order)
    elif loss:
        pit.show(pit.put(replace(order, quantity=left)))


def _loss(order: SimOrder, part: Decimal) -> Decimal:
    """What is taken off an order: the part of what it had, in whole units.

    Fills that its group has not been told of yet are part of what it had: two that overlap
    take from each other what they would have taken one after the other.
    """
    return ((order.whole - order.oca_told) * part).to_integral_value(ROUND_HALF_UP)
