"""The day's messages for each execution: what IBKR calls the order-efficiency ratio.

A fold over what went out and what was executed; it begins anew with the exchange's day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.events import Traffic
from ibkr_trader.orders.wishes import BROKER

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Traffic", "after"]


def after(traffic: Traffic, event: ev.BaseEvent, *, day_start: datetime) -> Traffic:
    """Return the count with one more event; the same object if it counts nothing.

    `day_start` is when the exchange's day of the event began. A correction of an execution is
    no execution.
    """
    today = traffic if traffic.since >= day_start else Traffic(since=day_start)
    match event:
        case ev.NewOrderEvent():
            return msgspec.structs.replace(today, orders=today.orders + 1)
        case ev.ModifyEvent():
            return msgspec.structs.replace(today, changes=today.changes + 1)
        case ev.CancelRequestEvent() if event.origin not in ("", BROKER):
            return msgspec.structs.replace(today, cancels=today.cancels + 1)
        case ev.FillEvent(replaces=None):
            return msgspec.structs.replace(today, executions=today.executions + 1)
        case _:
            return today
