from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

import pytest

from ibkr_trader.rules.bar_sizes import SIZES, bar_size_words, duration_for, parse_bar_size
from ibkr_trader.sim.calendar import stock_day
from ibkr_trader.sim.gateway.bar_query import bar_query

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(("words", "size"), SIZES.items())
def test_tws_words_are_read_and_written(words: str, size: timedelta) -> None:
    assert parse_bar_size(words) == size
    assert bar_size_words(size) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5 min", "5 mins"),
        ("5min", "5 mins"),
        (" 5 Minutes ", "5 mins"),
        ("1 minute", "1 min"),
        ("60 min", "1 hour"),
        ("1h", "1 hour"),
        ("2 Hour", "2 hours"),
        ("30s", "30 secs"),
        ("1 sec", "1 secs"),
        ("15 seconds", "15 secs"),
        ("1 days", "1 day"),
        ("24 hours", "1 day"),
    ],
)
def test_what_people_write_is_read(text: str, words: str) -> None:
    assert bar_size_words(parse_bar_size(text)) == words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "min",
        "5",
        "7 min",
        "1m",
        "0 min",
        "-5 min",
        "1.5 min",
        "1 week",
        "1 mo",
        "5 min x",
        "\u0665 min",
    ],
)
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(
        ValueError, match=re.escape(f"{text!r} is no bar size; there are 1 secs, 5 ")
    ):
        parse_bar_size(text)


def test_a_size_that_tws_has_not_has_no_words() -> None:
    with pytest.raises(ValueError, match=r"TWS has no bars of 0:07:00; there are 1 secs, .* 1 day"):
        bar_size_words(7 * MINUTE)


@pytest.mark.parametrize(
    ("bars", "size", "duration"),
    [
        (1, SECOND, "60 S"),
        (61, SECOND, "120 S"),
        (1800, SECOND, "1800 S"),
        (200, 15 * SECOND, "3000 S"),
        (1, MINUTE, "8 D"),
        (390, MINUTE, "8 D"),
        (391, MINUTE, "9 D"),
        (50, 5 * MINUTE, "8 D"),
        (1, DAY, "8 D"),
        (14, DAY, "27 D"),
        (200, DAY, "301 D"),
        (244, DAY, "365 D"),
        (245, DAY, "2 Y"),
    ],
)
def test_durations(bars: int, size: timedelta, duration: str) -> None:
    assert duration_for(bars, size) == duration


@pytest.mark.parametrize(
    ("bars", "size", "fault"),
    [
        (0, MINUTE, "at least one bar must be asked for, not 0"),
        (10, 7 * MINUTE, "TWS has no bars of 0:07:00"),
        (1801, SECOND, "1801 bars of 1 secs are too many: TWS gives 1800 S of them"),
        (961, 30 * SECOND, "961 bars of 30 secs are too many: TWS gives 28800 S of them"),
    ],
)
def test_what_cannot_be_asked_for(bars: int, size: timedelta, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        duration_for(bars, size)


@pytest.mark.parametrize("words", SIZES)
def test_the_gateway_understands_them(words: str) -> None:
    size = SIZES[words]
    duration = duration_for(20, size)
    query = bar_query(1, bar_size=words, duration=duration, end="", now=NOW, use_rth=True)
    assert (query.seconds or 86_400) == size.total_seconds()


@pytest.mark.parametrize("bars", [1, 2, 5, 14, 16, 37, 50, 56, 131, 200, 244, 245, 600])
def test_enough_even_if_days_are_those_of_the_calendar(bars: int) -> None:
    """Of sessions that are over, from each morning of some years, at NYSE with its holidays."""
    amount, unit = duration_for(bars, DAY).split()
    back = int(amount) * (365 if unit == "Y" else 1)
    first = date(2018, 1, 1)
    traded = [stock_day(first + n * DAY) is not None for n in range(3000)]
    until = list(accumulate(traded, initial=0))
    fewest = min(until[end] - until[end - back + 1] for end in range(back, 3000))
    assert fewest >= bars
