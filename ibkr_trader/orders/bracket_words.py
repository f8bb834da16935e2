"""What a bracket tells a person, each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import broker_words
from ibkr_trader.core.text import quantity as number
from ibkr_trader.orders import bracket_repairs as repairs
from ibkr_trader.orders.asking import Word
from ibkr_trader.orders.bracket_growing import will_follow
from ibkr_trader.orders.bracket_repairs import Remedy
from ibkr_trader.orders.members import traded, why_ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.orders.bracket_group import Bracket
    from ibkr_trader.orders.linked_orders import Leg


def words(group: Bracket, due: frozenset[str]) -> Iterator[Word]:
    """Yield what there is to tell of the group as it stands."""
    symbol = group.entry.spec.contract.symbol
    held = group.held
    if "turned" in due:
        message = f"both exits of {symbol} traded: {number(-held)} too many"
        yield from _surplus(group, f"turned {held}", message)
    if "late" in due:
        message = f"{number(held)} {symbol} came in after the exits had traded"
        yield from _surplus(group, f"late {held}", message)
    if "asleep" in due:
        yield Word(
            "asleep",
            f"the exits of {symbol} sleep until its entry is complete: its rest is taken back",
        )
    if "early" in due:
        yield Word(
            "early",
            f"the exits of {symbol} could trade before its entry has: all of it is taken back",
        )
    yield from _unfollowed(group)
    for leg in group.parts():
        stop = leg.of(OrderRole.STOP)[-1]
        if repairs.claim(group, leg) and stop.status.is_closed:
            yield from _unprotected(group, leg, due)
    yield from _ends(group)


def _surplus(group: Bracket, key: str, message: str) -> Iterator[Word]:
    failed = [order for order in group.closers if order.status.is_closed]
    if failed and not repairs.owes(group) and group.room and traded(failed[-1]):
        yield Word(f"left {key}", f"{message}; other exits have them: see whether they are enough")
    elif failed and not repairs.owes(group):
        why = why_ended(failed[-1])
        yield Word(f"stuck {key}", f"{message}, and closing them failed: {why}; close it by hand")
    else:
        yield Word(key, f"{message}; closing them at the market")


def _unfollowed(group: Bracket) -> Iterator[Word]:
    """Yield what was to be added and is taken back; a position that ends needs no word of it."""
    if group.held <= 0 or group.closers or will_follow(group):
        return
    for entry in group.entries[1:]:
        if not entry.status.is_closed and entry.status is not OrderStatus.PENDING_CANCEL:
            symbol = entry.spec.contract.symbol
            yield Word(
                f"unfollowed {entry.order_id}",
                f"the exits of {symbol} would not follow {entry.order_id}: its rest is taken back",
            )


def _unprotected(group: Bracket, leg: Leg, due: frozenset[str]) -> Iterator[Word]:
    stop = leg.of(OrderRole.STOP)[-1]
    symbol = group.entry.spec.contract.symbol
    what = f"{number(repairs.claim(group, leg))} {symbol} are held without a stop"
    if stop.order_id in group.waived:
        yield Word(f"waived {stop.order_id}", f"{what}: it was cancelled on request")
        return
    why = why_ended(stop)
    again = f"{what}, and the new one failed too: {why}"
    match repairs.remedy(group, leg):
        case Remedy.REPLACE if repairs.is_due(leg, due):
            message = f"{what}: {why}; a new one is being placed"
            yield Word(f"naked {stop.order_id}", message)
        case Remedy.CLOSE:
            message = f"{again}; closing at the market"
            yield Word(f"naked {stop.order_id}", message)
        case Remedy.NONE if not any(not order.status.is_closed for order in group.closers):
            message = f"{again}; close it"
            yield Word(f"stuck {stop.order_id}", message)
        case _:
            return


def _ends(group: Bracket) -> Iterator[Word]:
    entry = group.entry
    symbol = entry.spec.contract.symbol
    entered = sum((traded(one) for one in group.entries), ZERO)
    if entry.status.is_closed and not traded(entry):
        reason = f": {why}" if (why := broker_words(entry.reason)) else ""
        message = f"the entry of {symbol} is {entry.status}{reason}"
        if entry.status is OrderStatus.FILLED:  # it is called so to this day
            message = f"what the entry of {symbol} had traded was taken back: nothing is held of it"
        yield Word("no entry", message, is_serious=False)
    elif group.held == 0 and group.is_closed:
        message = f"{symbol} is over: {number(entered)} in and out again"
        yield Word("over", message, is_serious=False)
