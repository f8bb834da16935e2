"""What the exchanges themselves announce: holidays and half days, from a kept calendar.

The broker's own hours come first; this is the second opinion. It speaks only for US stocks
and their options, in the exchange's zone; of any other market it knows nothing, and says
so. The library is imported late: only the end of a day asks.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import Session
from ibkr_trader.core.trading_day import NEW_YORK, Announced

if TYPE_CHECKING:
    from ibkr_trader.core.models import ContractDetails

_NEW_YORK = ZoneInfo(NEW_YORK)
# TWS's names for it, old and new.
_NEW_YORK_NAMES = frozenset({NEW_YORK, "US/Eastern", "EST5EDT", "EST"})
_OPENS, _CLOSES, _CLOSES_EARLY = time(9, 30), time(16), time(13)
_FIRST_YEAR, _LAST_YEAR = 2015, 2100  # held against another calendar from here on
_SATURDAY = 5


class ExchangeCalendar:
    """The `Calendar` port over the `holidays` library."""

    def zone(self, details: ContractDetails) -> tzinfo:
        """Return the exchange's zone; UTC where the broker names none that is known."""
        if details.time_zone in _NEW_YORK_NAMES:
            return _NEW_YORK
        try:
            return ZoneInfo(details.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC

    def announced(self, details: ContractDetails, day: date) -> Announced | None:
        """Return what the exchange has announced for `day`; None if it is not known here."""
        contract = details.contract
        is_known = (
            contract.sec_type in (SecType.STOCK, SecType.OPTION)
            and contract.currency == "USD"
            and details.time_zone in _NEW_YORK_NAMES
            and _FIRST_YEAR <= day.year <= _LAST_YEAR
        )
        return Announced(_new_york(day)) if is_known else None


def _new_york(day: date) -> Session | None:
    closed, half = _special_days(day.year)
    if day.weekday() >= _SATURDAY or day in closed:
        return None
    return Session(_utc(day, _OPENS), _utc(day, _CLOSES_EARLY if day in half else _CLOSES))


@lru_cache(maxsize=8)
def _special_days(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the days on which New York does not trade, and those on which it closes early."""
    from holidays import financial_holidays  # noqa: PLC0415 - takes a while, and is rarely asked

    closed = financial_holidays("XNYS", years=year, expand=False)
    half = financial_holidays("XNYS", years=year, expand=False, categories=("half_day",))
    return frozenset(closed), frozenset(half)


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, _NEW_YORK).astimezone(UTC)
