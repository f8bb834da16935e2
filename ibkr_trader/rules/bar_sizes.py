"""The sizes that TWS has bars of, its words for them, and how far back to ask for some."""

from __future__ import annotations

import re
from datetime import timedelta

SIZES = {
    "1 secs": timedelta(seconds=1),
    "5 secs": timedelta(seconds=5),
    "10 secs": timedelta(seconds=10),
    "15 secs": timedelta(seconds=15),
    "30 secs": timedelta(seconds=30),
    "1 min": timedelta(minutes=1),
    "2 mins": timedelta(minutes=2),
    "3 mins": timedelta(minutes=3),
    "5 mins": timedelta(minutes=5),
    "10 mins": timedelta(minutes=10),
    "15 mins": timedelta(minutes=15),
    "20 mins": timedelta(minutes=20),
    "30 mins": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "2 hours": timedelta(hours=2),
    "3 hours": timedelta(hours=3),
    "4 hours": timedelta(hours=4),
    "8 hours": timedelta(hours=8),
    "1 day": timedelta(days=1),
}
WORDS = {size: words for words, size in SIZES.items()}

SLACK = 2  # bars to ask for beyond those that are needed: the last may be under way
TRADING_DAY = timedelta(hours=6.5)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
# IBKR's table of step sizes: how many seconds of such bars it gives at once. From a minute on,
# it has lifted them.
_MOST_SECONDS = {1: 1800, 5: 3600, 10: 14_400, 15: 14_400, 30: 28_800}
_MOST_DAYS = 365  # more must be asked for in years
_WEEK, _WEEKEND = 5, 2  # days of a week that trade, and that do not
_HOLIDAYS = 20  # one in so many weekdays, and two more: they come in clusters

# Not `m`: TWS means a month by it.
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("day", "days"), 86_400),
}
_SIZE = re.compile(r"([1-9]\d{0,4})\s*([a-z]+)", re.ASCII | re.IGNORECASE)


def parse_bar_size(text: str) -> timedelta:
    """Return the size that people mean by `5 min`, `5 mins`, `1 hour` or `1 day`.

    Raises:
        ValueError: If TWS has no bars of it; says what it has.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is not None:
        size = timedelta(seconds=int(found[1]) * _UNITS.get(found[2].lower(), 0))
        if size in WORDS:
            return size
    raise ValueError(f"{text!r} is no bar size; there are {', '.join(SIZES)}")


def bar_size_words(size: timedelta) -> str:
    """Return TWS's words for a size.

    Raises:
        ValueError: If it has no bars of it; says what it has.
    """
    if size not in WORDS:
        raise ValueError(f"TWS has no bars of {size}; there are {', '.join(SIZES)}")
    return WORDS[size]


def duration_for(bars: int, size: timedelta) -> str:
    """Return how far back to ask, in TWS's words, so that at least so many bars come.

    Counted in days of six and a half hours, with a day for the one under way, and weekends
    and holidays on top: IBKR's documentation does not say which days TWS counts. People saw
    it count sessions in D and calendar years in Y (github.com/wboayue/rust-ibapi/pull/837);
    then more come than were asked for, and never fewer. Bars of seconds can only be asked for
    in seconds: if TWS counts them by the clock, fewer come early in a session, and what they
    were for stays unknown for a while.

    Raises:
        ValueError: If none are wanted, or TWS gives no such bars, or not so many at once.
    """
    if bars < 1:
        raise ValueError(f"at least one bar must be asked for, not {bars}")
    words = bar_size_words(size)
    if size < _MINUTE:
        most = _MOST_SECONDS[int(size.total_seconds())]
        wanted = _up(bars * size, _MINUTE) * 60
        if wanted > most:
            raise ValueError(f"{bars} bars of {words} are too many: TWS gives {most} S of them")
        return f"{wanted} S"
    days = bars if size == _DAY else _up(bars * size, TRADING_DAY)
    days += 1
    days += 2 + days // _HOLIDAYS
    days += (_up_count(days, _WEEK) + 1) * _WEEKEND  # it may end with one, too
    return f"{days} D" if days <= _MOST_DAYS else f"{_up_count(days, _MOST_DAYS)} Y"


def _up(time: timedelta, unit: timedelta) -> int:
    return -(-time // unit)


def _up_count(count: int, unit: int) -> int:
    return -(-count // unit)
