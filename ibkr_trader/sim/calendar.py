"""When New York trades, by rule: holidays, half days, sessions in UTC.

The rules are those of NYSE and Nasdaq since 2015, the two extraordinary closures included.
Currencies trade from Sunday 17:15 to Friday 17:00 with a break of a quarter of an hour.
Only New York needs a zone; everything that leaves this module is in UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from ibkr_trader.core.models import Session

NEW_YORK = ZoneInfo("America/New_York")
ZONE_NAME = "US/Eastern"  # as TWS calls it

_DAY = timedelta(days=1)
_MON, _THU, _FRI, _SAT, _SUN = 0, 3, 4, 5, 6
_MOURNING = frozenset({date(2018, 12, 5), date(2025, 1, 9)})
_JUNETEENTH_SINCE = 2022


class Phase(StrEnum):
    """What the market of an instrument is doing."""

    CLOSED = "closed"
    EXTENDED = "extended"  # before the opening or after the close: for outsideRth orders only
    REGULAR = "regular"


class TradingDay(msgspec.Struct, frozen=True):
    """One day's sessions: `regular` within `trading`; equal where there is no extended one."""

    date: date
    regular: Session
    trading: Session

    def phase(self, now: datetime) -> Phase:
        """Say what this day's market does at `now`."""
        if self.regular.opens <= now < self.regular.closes:
            return Phase.REGULAR
        if self.trading.opens <= now < self.trading.closes:
            return Phase.EXTENDED
        return Phase.CLOSED


def easter(year: int) -> date:
    """Return Easter Sunday, by the anonymous Gregorian computus."""
    golden, century, of_century = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _nth(year: int, month: int, *, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _observed(day: date) -> date:
    if day.weekday() == _SAT:
        return day - _DAY
    return day + _DAY if day.weekday() == _SUN else day


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """Return the weekdays of `year` on which stocks do not trade."""
    new_year = date(year, 1, 1)
    closed = {
        # A New Year's Day on a Saturday is not moved: the Friday belongs to the old year.
        new_year + _DAY if new_year.weekday() == _SUN else new_year,
        _nth(year, 1, weekday=_MON, n=3),  # Martin Luther King
        _nth(year, 2, weekday=_MON, n=3),  # Washington
        easter(year) - 2 * _DAY,  # Good Friday
        _nth(year, 6, weekday=_MON, n=1) - 7 * _DAY,  # Memorial Day
        _observed(date(year, 7, 4)),
        _nth(year, 9, weekday=_MON, n=1),  # Labor Day
        _nth(year, 11, weekday=_THU, n=4),  # Thanksgiving
        _observed(date(year, 12, 25)),
    }
    if year >= _JUNETEENTH_SINCE:
        closed.add(_observed(date(year, 6, 19)))
    return frozenset(closed | {day for day in _MOURNING if day.year == year})


def is_trading_day(day: date) -> bool:
    """Say whether stocks trade on `day`."""
    return day.weekday() < _SAT and day not in holidays(day.year)


def is_half_day(day: date) -> bool:
    """Say whether stocks close at 13:00: the eves of Independence Day and Christmas, and
    the day after Thanksgiving.
    """  # noqa: D205 - one sentence
    if not is_trading_day(day):
        return False
    eve = (day.month, day.day) in {(7, 3), (12, 24)}
    return eve or day == _nth(day.year, 11, weekday=_THU, n=4) + _DAY


def _utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=2048)
def stock_day(day: date) -> TradingDay | None:
    """Return the sessions of stocks and options on `day`; None when closed."""
    if not is_trading_day(day):
        return None
    half = is_half_day(day)
    regular = Session(_utc(day, 9, 30), _utc(day, 13 if half else 16))
    return TradingDay(day, regular, Session(_utc(day, 4), _utc(day, 17 if half else 20)))


@lru_cache(maxsize=2048)
def option_day(day: date) -> TradingDay | None:
    """Return the session of options: the regular one of stocks, and nothing around it."""
    stocks = stock_day(day)
    return TradingDay(day, stocks.regular, stocks.regular) if stocks else None


@lru_cache(maxsize=2048)
def cash_day(day: date) -> TradingDay | None:
    """Return the session of currencies that ends on `day`."""
    if day.weekday() >= _SAT:
        return None
    session = Session(_utc(day - _DAY, 17, 15), _utc(day, 17))
    return TradingDay(day, session, session)


def market_day(sec_type: str, day: date) -> TradingDay | None:
    """Return the sessions of a kind of instrument on `day`; None when closed."""
    if sec_type == "CASH":
        return cash_day(day)
    return option_day(day) if sec_type == "OPT" else stock_day(day)


def local_date(now: datetime) -> date:
    """Return the date in New York."""
    return now.astimezone(NEW_YORK).date()


def current_day(sec_type: str, now: datetime) -> TradingDay:
    """Return the trading day under way at `now`, or else the next one to begin.

    It is over when its last session, the extended one included, has closed.
    """
    day = local_date(now)
    while True:
        found = market_day(sec_type, day)
        if found is not None and now < found.trading.closes:
            return found
        day += _DAY


def next_day(sec_type: str, day: date) -> TradingDay:
    """Return the first trading day after `day`."""
    while True:
        day += _DAY
        found = market_day(sec_type, day)
        if found is not None:
            return found


def previous_day(sec_type: str, day: date) -> TradingDay:
    """Return the last trading day before `day`."""
    while True:
        day -= _DAY
        found = market_day(sec_type, day)
        if found is not None:
            return found


def next_trading_day(day: date) -> date:
    """Return the first day after `day` on which stocks trade."""
    return next_day("STK", day).date


def previous_trading_day(day: date) -> date:
    """Return the last day before `day` on which stocks traded."""
    return previous_day("STK", day).date


def phase_at(sec_type: str, now: datetime) -> Phase:
    """Say what the market of a kind of instrument is doing."""
    return current_day(sec_type, now).phase(now)


def next_opening(sec_type: str, now: datetime, *, extended: bool) -> datetime:
    """Return when trading next begins: regular, or (`extended`) any; always after `now`."""
    today = current_day(sec_type, now)
    opens = today.trading.opens if extended else today.regular.opens
    if now < opens:
        return opens
    following = next_day(sec_type, today.date)
    return following.trading.opens if extended else following.regular.opens


def day_end(sec_type: str, now: datetime, *, extended: bool) -> datetime:
    """Return when an order of today, or of the next session to open, runs out."""
    today = current_day(sec_type, now)
    closes = today.trading.closes if extended else today.regular.closes
    if now < closes:
        return closes
    following = next_day(sec_type, today.date)
    return following.trading.closes if extended else following.regular.closes


def midnight_after(now: datetime) -> datetime:
    """Return the next midnight in New York."""
    return _utc(local_date(now) + _DAY, 0)


def third_friday(year: int, month: int) -> date:
    """Return the day on which a month's options expire (the Thursday if the Friday is closed)."""
    friday = _nth(year, month, weekday=_FRI, n=3)
    return friday if is_trading_day(friday) else friday - _DAY
