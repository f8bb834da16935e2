"""What a historical data request asks for, parsed; and its bars, gathered from the market.

Pure of any wire. Sizes and durations are TWS's words; what TWS would refuse raises `BadQuery` with
its text.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import msgspec

from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.gateway.times import read_moment
from ibkr_trader.sim.instruments import SimBar
from ibkr_trader.sim.market import Market

DAY_SECONDS = 86_400
MOST_BARS = 20_000
_DURATION = re.compile(r"(\d{1,7}) ?([SDWMY])")
_UNITS = {"sec": 1, "secs": 1, "min": 60, "mins": 60, "hour": 3600, "hours": 3600}
_SECONDS = frozenset({1, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1200, 1800})
_HOURS = frozenset({3600, 7200, 10_800, 14_400, 28_800})
_CALENDAR = {"1 day": "day", "1 week": "week", "1w": "week", "1 month": "month", "1m": "month"}
_DAYS = {"D": 1, "W": 7, "M": 31, "Y": 366}
WHAT = frozenset({"TRADES", "MIDPOINT", "BID", "ASK", "ADJUSTED_LAST"})


class BadQuery(Exception):
    """A request that TWS would refuse; the text is its."""


class BarQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which bars: `seconds` for intraday, else `period` (`day`, `week`, `month`)."""

    con_id: int
    end: datetime
    amount: int
    unit: str
    seconds: int
    period: str
    regular_only: bool


def bar_query(
    con_id: int, *, bar_size: str, duration: str, end: str, now: datetime, use_rth: bool
) -> BarQuery:
    """Return what a request means.

    Raises:
        BadQuery: One of its words is not TWS's.
    """
    found = _DURATION.fullmatch(duration.strip().upper())
    if found is None or not int(found[1]):
        message = f"Invalid time length or duration '{duration}'"
        raise BadQuery(message)
    seconds, period = _bar_size(bar_size)
    try:
        until = min(read_moment(end), now) if end else now
    except ValueError:
        message = "Invalid end date/time"
        raise BadQuery(message) from None
    amount, unit = int(found[1]), found[2]
    if unit == "S" and (period or amount > DAY_SECONDS):
        message = "Time length exceed max."
        raise BadQuery(message)
    return BarQuery(
        con_id=con_id,
        end=until,
        amount=amount,
        unit=unit,
        seconds=seconds,
        period=period,
        regular_only=use_rth,
    )


def is_calendar_size(text: str) -> bool:
    """Whether bars of this size are named by their day."""
    return text.strip().lower() in _CALENDAR


def _bar_size(text: str) -> tuple[int, str]:
    word = text.strip().lower()
    if word in _CALENDAR:
        return 0, _CALENDAR[word]
    number, _, unit = word.partition(" ")
    seconds = int(number) * _UNITS.get(unit, 0) if number.isdecimal() and len(number) < 4 else 0  # noqa: PLR2004 - no bar has 1000 of its units
    if seconds not in _SECONDS and seconds not in _HOURS:
        message = f"Invalid bar size '{text}'"
        raise BadQuery(message)
    return seconds, ""


def fetch(market: Market, query: BarQuery) -> tuple[SimBar, ...]:
    """Return the bars, oldest first.

    Raises:
        BadQuery: They would be too many.
    """
    if query.period:
        return _calendar_bars(market, query)
    start = _start(market, query)
    if (query.end - start).total_seconds() / query.seconds > MOST_BARS * 4:
        message = "Time length exceed max."
        raise BadQuery(message)
    return market.bars(
        query.con_id,
        start=start,
        end=query.end,
        seconds=query.seconds,
        regular_only=query.regular_only,
    )[-MOST_BARS:]


def follow(market: Market, query: BarQuery, last: SimBar, *, now: datetime) -> tuple[SimBar, ...]:
    """Return `last` as it now stands, and the bars after it."""
    if query.seconds:
        return market.bars(
            query.con_id,
            start=last.at,
            end=now,
            seconds=query.seconds,
            regular_only=query.regular_only,
        )
    bars = _calendar_bars(market, msgspec.structs.replace(query, end=now))
    return tuple(bar for bar in bars if bar.session >= last.session)


def _start(market: Market, query: BarQuery) -> datetime:
    if query.unit == "S":
        return query.end - timedelta(seconds=query.amount)
    last = query.end.astimezone(NEW_YORK).date()
    if query.unit == "D":
        days = market.daily_bars(query.con_id, last=last, count=min(query.amount, 366))
        first = days[0].session if days else last
    else:
        first = last - timedelta(days=_DAYS[query.unit] * query.amount)
    return datetime(first.year, first.month, first.day, tzinfo=NEW_YORK)


def _calendar_bars(market: Market, query: BarQuery) -> tuple[SimBar, ...]:
    last = query.end.astimezone(NEW_YORK).date()
    days = _DAYS[query.unit] * query.amount
    if days > MOST_BARS:
        message = "Time length exceed max."
        raise BadQuery(message)
    count = query.amount if query.unit == "D" else days
    daily = market.daily_bars(query.con_id, last=last, count=count)
    if query.unit != "D":
        first = last - timedelta(days=days)
        daily = tuple(bar for bar in daily if bar.session > first)
    if query.period == "day":
        return daily
    return tuple(_merged(daily, query.period))


def _merged(daily: tuple[SimBar, ...], period: str) -> Iterator[SimBar]:
    def group(bar: SimBar) -> tuple[int, int]:
        day: date = bar.session
        return day.isocalendar()[:2] if period == "week" else (day.year, day.month)

    for _, members in groupby(daily, group):
        yield merge(tuple(members))


def merge(bars: tuple[SimBar, ...]) -> SimBar:
    """Return one bar made of several, stamped as the last of them."""
    volume = sum((bar.volume for bar in bars), Decimal(0))
    value = sum((bar.average * bar.volume for bar in bars), Decimal(0))
    return msgspec.structs.replace(
        bars[-1],
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        volume=volume,
        average=value / volume if volume else bars[-1].average,
        count=sum(bar.count for bar in bars),
    )
