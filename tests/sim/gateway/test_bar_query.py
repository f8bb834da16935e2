"""What a request for bars means, and what it may not say."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ibkr_trader.sim.gateway.bar_query import BadQuery, bar_query, is_calendar_size, merge
from ibkr_trader.sim.gateway.times import moment_text, read_moment
from ibkr_trader.sim.instruments import SimBar

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "seconds", "period"),
    [
        ("1 secs", 1, ""),
        ("5 secs", 5, ""),
        ("1 min", 60, ""),
        ("5 mins", 300, ""),
        ("1 hour", 3600, ""),
        ("8 hours", 28_800, ""),
        ("1 day", 0, "day"),
        ("1W", 0, "week"),
        ("1 month", 0, "month"),
    ],
)
def test_bar_sizes(size: str, seconds: int, period: str) -> None:
    query = bar_query(1, bar_size=size, duration="1 D", end="", now=NOW, use_rth=True)
    assert (query.seconds, query.period) == (seconds, period)
    assert is_calendar_size(size) == bool(period)


@pytest.mark.parametrize(
    ("size", "duration", "end"),
    [
        ("7 mins", "1 D", ""),
        ("1 minute", "1 D", ""),
        ("", "1 D", ""),
        ("5 mins", "1 X", ""),
        ("5 mins", "0 D", ""),
        ("5 mins", "", ""),
        ("5 mins", "99999999999 S", ""),
        ("5 mins", "100000 S", ""),
        ("1 day", "60 S", ""),
        ("5 mins", "1 D", "yesterday"),
        ("5 mins", "1 D", "20261120 10:00:00 Mars/Base"),
    ],
)
def test_what_tws_refuses(size: str, duration: str, end: str) -> None:
    with pytest.raises(BadQuery):
        bar_query(1, bar_size=size, duration=duration, end=end, now=NOW, use_rth=True)


@pytest.mark.parametrize(
    "text",
    [
        "20261120 09:30:00",
        "20261120  09:30:00",
        "20261120 09:30:00 US/Eastern",
        "20261120 09:30:00 America/New_York",
        "20261120 14:30:00 UTC",
        "20261120-14:30:00",
    ],
)
def test_times_as_clients_write_them(text: str) -> None:
    assert read_moment(text) == datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "x", "2026", "20261399", "20261120 25:00:00", "10:00"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|zone|match"):
        read_moment(text)


def test_times_have_a_zone_from_174() -> None:
    assert moment_text(NOW, 174) == "20261120 10:00:00 US/Eastern"
    assert moment_text(NOW, 173) == "20261120  10:00:00"


def test_an_end_in_the_future_is_now() -> None:
    query = bar_query(
        1, bar_size="1 day", duration="1 D", end="20300101 00:00:00 UTC", now=NOW, use_rth=True
    )
    assert query.end == NOW


def test_merged_bars_span_their_parts() -> None:
    def bar(day: int, low: str, high: str, volume: str) -> SimBar:
        return SimBar(
            at=datetime(2026, 11, day, 14, 30, tzinfo=UTC),
            session=date(2026, 11, day),
            open=Decimal(low),
            high=Decimal(high),
            low=Decimal(low),
            close=Decimal(high),
            volume=Decimal(volume),
            average=Decimal(low),
            count=1,
        )

    merged = merge((bar(18, "10", "12", "100"), bar(19, "9", "11", "300")))
    assert (merged.open, merged.high, merged.low, merged.close) == tuple(
        map(Decimal, (10, 12, 9, 11))
    )
    assert (merged.volume, merged.average, merged.count) == (Decimal(400), Decimal("9.25"), 2)
    assert merged.session == date(2026, 11, 19)
