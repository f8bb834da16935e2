"""The day's messages for each order that trades: what IBKR calls the order-efficiency ratio.

A fold over what went out and what traded; it begins anew with the exchange's day. While
messages are few the ratio means nothing: IBKR says that it is "not aimed at the client who
submits 200 orders". From there on, what is only cosmetic yields first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.orders.wishes import BROKER

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.commands import Command

__all__ = ["FEW", "Traffic", "after", "current", "ratio", "yields"]

FEW = 200  # messages a day, below which nothing is denied and nothing yields
COARSE = Decimal(12)  # from this ratio on a cosmetic change needs a larger step
NONE = Decimal(18)  # and from this one on there is none
STEPS = 5  # ordinary steps that a cosmetic change then needs
_TENTH = Decimal("0.1")


def after(
    traffic: Traffic, event: ev.BaseEvent, *, day_start: datetime, is_first: bool = True
) -> Traffic:
    """Return the count with one more event; the same object if it counts nothing.

    `day_start` is when the exchange's day of the event began. Of an order's executions the
    first one counts (`is_first`), as IBKR has it; a correction is none.
    """
    today = current(traffic, day_start)
    match event:
        case ev.NewOrderEvent():
            return msgspec.structs.replace(today, orders=today.orders + 1)
        case ev.ModifyEvent():
            return msgspec.structs.replace(today, changes=today.changes + 1)
        case ev.CancelRequestEvent() if event.origin not in ("", BROKER):
            return msgspec.structs.replace(today, cancels=today.cancels + 1)
        case ev.FillEvent(replaces=None) if is_first:
            return msgspec.structs.replace(today, executions=today.executions + 1)
        case _:
            return today


def current(traffic: Traffic, day_start: datetime) -> Traffic:
    """Return the count of the day that began at `day_start`: an older one is over."""
    return traffic if traffic.since >= day_start else Traffic(since=day_start)


def ratio(traffic: Traffic) -> Decimal:
    """Return messages for each order that traded, rounded down to the tenth."""
    return traffic.ratio // _TENTH * _TENTH


def yields(command: Command, traffic: Traffic, *, now: Decimal | None, step: Decimal) -> bool:
    """Whether `command` is left out for now, because messages are scarce.

    Only what is cosmetic ever is: a cancel, a size, a person's change never yields. `now` is
    the stop price that works, `step` how far such a price moves at least on an ordinary day.
    """
    if not isinstance(command, ModifyOrder) or not command.is_cosmetic or traffic.messages < FEW:
        return False
    if traffic.ratio < COARSE:
        return False
    wanted = command.stop_price
    if traffic.ratio >= NONE or now is None or wanted is None:
        return True
    return abs(wanted - now) < step * STEPS
