"""The day's messages and executions, as the broker counts them: of an account, or of a part of it.

A fold over what went out and what traded; it begins anew with the exchange's day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.orders.wishes import BROKER

if TYPE_CHECKING:
    from datetime import datetime

COUNTED = (ev.NewOrderEvent, ev.ModifyEvent, ev.CancelRequestEvent, ev.FillEvent)  # nothing else is


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
