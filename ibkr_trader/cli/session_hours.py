"""Whether the regular session is on, and when that changes next.

The broker's own hours count; where they end, the exchange's calendar goes on. A holiday that
only the calendar knows of is none: nobody can trade where the broker does not, and the guard
has the last word on that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.models import Contract, ContractDetails
from ibkr_trader.core.trading_day import NEW_YORK, session_from

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ibkr_trader.core.models import Session
    from ibkr_trader.execution.ports import Calendar

_AHEAD = 10  # days: no market is closed for longer
_DAY = timedelta(days=1)
USUAL = ContractDetails(contract=Contract(symbol="*"), time_zone=NEW_YORK)


class Hours(NamedTuple):
    """How the session stands: None if nobody knows."""

    is_open: bool | None = None
    turns_at: datetime | None = None


def hours(details: ContractDetails, calendar: Calendar, now: datetime) -> Hours:
    """Return how the session of a contract's market stands at `now`."""
    told = _among(details.liquid_sessions, now)
    if told.turns_at is not None:
        return told
    today = now.astimezone(calendar.zone(details)).date()
    days = (calendar.announced(details, today + ahead * _DAY) for ahead in range(_AHEAD))
    sessions = [one.session for one in days if one is not None and one.session is not None]
    return _among(sessions, now)


def _among(sessions: Iterable[Session], now: datetime) -> Hours:
    session = session_from(sorted(sessions, key=lambda one: one.opens), now)
    if session is None:
        return Hours()
    is_open = session.opens <= now
    return Hours(is_open=is_open, turns_at=session.closes if is_open else session.opens)
