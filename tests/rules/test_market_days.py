from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.core.models import Session
from ibkr_trader.rules.market_days import NIGHT, Feed, MarketDay, openings
from tests.rules.bar_samples import DAY, FIVE, MINUTE, OPEN, SESSIONS

HOUR = timedelta(hours=1)
OPENS = tuple(one.opens for one in SESSIONS)


def days(*starts: datetime, opens: tuple[datetime, ...] = ()) -> list[datetime | None]:
    """Return when the day of each bar began; None is unknown."""
    day, began = MarketDay(opens), []
    for at in starts:
        day = day.after(at)
        began.append(day.began)
    return began


def test_a_night_begins_a_day() -> None:
    assert days(OPEN, OPEN + HOUR, OPEN + DAY, OPEN + DAY + HOUR) == [None, None, *[OPEN + DAY] * 2]


def test_only_the_first_bar_of_a_day_is_new() -> None:
    day = MarketDay().after(OPEN).after(OPEN + DAY)
    assert day.is_new
    assert not day.after(OPEN + DAY + FIVE).is_new
    assert not MarketDay().after(OPEN).is_new


def test_ten_hours_are_a_night_and_less_is_a_silence() -> None:
    assert days(OPEN, OPEN + NIGHT)[-1] == OPEN + NIGHT
    assert days(OPEN, OPEN + NIGHT - MINUTE)[-1] is None
    assert timedelta(hours=10) == NIGHT


def test_a_known_opening_begins_a_day_without_a_night() -> None:
    opens = (OPEN, OPEN + 6 * HOUR)
    assert days(OPEN + 5 * HOUR, OPEN + 6 * HOUR, opens=opens) == [None, OPEN + 6 * HOUR]
    late = days(OPEN + 5 * HOUR, OPEN + 7 * HOUR, opens=opens)  # its first hour was silent
    assert late == [None, OPEN + 6 * HOUR]


def test_a_known_opening_overrules_a_gap() -> None:
    assert days(OPEN, OPEN + 11 * HOUR, opens=OPENS) == [OPEN, OPEN]


def test_a_first_bar_at_the_opening_begins_a_day_and_a_later_one_does_not() -> None:
    assert days(OPEN, opens=OPENS) == [OPEN]
    assert days(OPEN + FIVE, opens=OPENS) == [None]
    assert MarketDay(OPENS).after(OPEN).is_new


def test_after_the_last_known_opening_a_gap_counts_again() -> None:
    starts = (OPEN, OPEN + DAY, OPEN + DAY + HOUR)
    assert days(*starts, opens=(OPEN,)) == [OPEN, OPEN + DAY, OPEN + DAY]


def test_before_the_first_known_opening_a_gap_counts() -> None:
    assert days(OPEN - 3 * DAY, OPEN - 2 * DAY, opens=OPENS) == [None, OPEN - 2 * DAY]


def test_a_day_that_does_not_end_is_unknown_after_24_hours() -> None:
    starts = [OPEN + n * HOUR for n in range(24)]
    assert days(*starts, OPEN + DAY, opens=(OPEN,)) == [*[OPEN] * 24, None]


def test_bars_of_a_day_are_days() -> None:
    midnight = datetime(2026, 11, 16, tzinfo=UTC)
    starts = [midnight + n * DAY for n in range(3)]
    assert days(*starts) == [None, *starts[1:]]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_openings_are_one_a_day(order: list[int]) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    first = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
    sessions = [
        Session(first + DAY, first + DAY + 3 * HOUR),
        Session(first + 4 * HOUR, first + 6 * HOUR),
        Session(first, first + 3 * HOUR),
    ]
    assert openings([sessions[n] for n in order], tokyo) == (first, first + DAY)


def test_a_session_that_began_the_evening_before_is_of_the_next_day() -> None:
    chicago = ZoneInfo("America/Chicago")
    evening = datetime(2026, 11, 16, 23, 0, tzinfo=UTC)  # 17:00
    sessions = [Session(evening + n * DAY, evening + n * DAY + 23 * HOUR) for n in range(2)]
    assert openings(sessions, chicago) == (evening, evening + DAY)


@pytest.mark.parametrize(
    ("size", "least", "bars"),
    [(None, 3, 3), (FIVE, 3, 156), (DAY, 1, 2), (DAY, 3, 3), (4 * HOUR, 2, 4)],
)
def test_two_days_of_bars(size: timedelta | None, least: int, bars: int) -> None:
    assert Feed(size=size).two_days(least) == bars
