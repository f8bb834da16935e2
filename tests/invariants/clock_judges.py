"""S28, S29 and S33: what the wall clock may change, when a day ends, and that a seed is a day.

Each compares: a day with the same day under another clock, a verdict of the calendar with what
New York has announced, a day with itself.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from ibkr_trader.core.ids import short_id
from ibkr_trader.execution.day_end import Due
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from tests.invariants.canonical import Written
from tests.sim.nyse_days import CLOSED, HALF
from tests.sim.test_calendar import days_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ibkr_trader.sim.gateway.wire import WireLog

NEW_YORK = ZoneInfo("America/New_York")
ORDERS = ("placeOrder", "modifyOrder", "cancelOrder", "globalCancel")
_SATURDAY = 5


class Firing(NamedTuple):
    """One time that cron fired, on which day of New York's, and what the plan said to it."""

    day: date
    at: datetime
    due: Due


def s28_same_requests(steady: WireLog, jumped: WireLog) -> list[str]:
    """Judge that a clock that jumps makes no request about an order, and keeps none back."""
    one, other = _requests(steady), _requests(jumped)
    made = [f"S28 the jump made {request}" for request in other if request not in one]
    return made + [f"S28 the jump kept back {request}" for request in one if request not in other]


def s29_day_ends(firings: Iterable[Firing], *, before: timedelta) -> list[str]:
    """Judge that a day is ended in the time before its own close, and at no other time."""
    closed, half = days_of(CLOSED), days_of(HALF)
    found = []
    for firing in firings:
        closes = time(13) if firing.day in half else time(16)
        close = datetime.combine(firing.day, closes, NEW_YORK)
        trades = firing.day.weekday() < _SATURDAY and firing.day not in closed
        is_time = trades and close - before <= firing.at < close
        if (firing.due is Due.NOW) != is_time:
            found.append(f"S29 at {firing.at:%F %T %Z} the day is {firing.due}")
    return found


def s33_same_day(lines: Sequence[str]) -> list[str]:
    """Judge that one seed gave one day, to the byte, on the wire and in the journal."""
    return [f"S33 {line}, and {lines[0]} before" for line in lines[1:] if line != lines[0]]


def s33_same_writing(days: Sequence[Written]) -> list[str]:
    """Judge that one schedule wrote the same wherever it was lived: on the wire, in the journal."""
    first, found = days[0], []
    for number, day in enumerate(days[1:], 2):
        for what, one, other in zip(Written._fields, first, day, strict=True):
            pairs = zip_longest(one, other, fillvalue="nothing more")
            unlike = next((pair for pair in pairs if pair[0] != pair[1]), None)
            if unlike is not None:
                found.append(f"S33 day {number}, {what}: {unlike[1]}, and first: {unlike[0]}")
    return found


def _requests(wire: WireLog) -> list[str]:
    """Each in words, without the prefix: two journals have two."""
    found = []
    for entry in wire.sent(*ORDERS):
        terms = ""
        if isinstance(entry.message, PlaceOrder):
            order = entry.message.order
            terms = f" {order.quantity} {order.limit_price} {order.aux_price}"
        found.append(f"{entry.name} {short_id(entry.order_ref)}{terms}")
    return found
