from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ibkr_trader.core.models import Session
from ibkr_trader.rules.bar_slots import Slot, check_size, slot_at
from tests.rules.bar_samples import DAY, FIVE, MINUTE, OPEN, SESSIONS

HOUR = timedelta(hours=1)


def test_without_sessions_bars_count_from_midnight_utc() -> None:
    at = datetime(2026, 11, 16, 14, 33, 20, tzinfo=UTC)
    assert slot_at(at, FIVE) == Slot(OPEN, OPEN + FIVE)
    new_york = timezone(timedelta(hours=-5))
    assert slot_at(at.astimezone(new_york), FIVE) == Slot(OPEN, OPEN + FIVE)
    midnight = datetime(2026, 11, 16, tzinfo=UTC)
    assert slot_at(at, DAY) == Slot(midnight, midnight + DAY)
    assert slot_at(at.astimezone(new_york), DAY) == Slot(midnight, midnight + DAY)


def test_no_bar_reaches_over_midnight() -> None:
    odd = timedelta(hours=7)
    at = datetime(2026, 11, 16, 23, 59, tzinfo=UTC)
    starts = datetime(2026, 11, 16, 21, tzinfo=UTC)
    assert slot_at(at, odd) == Slot(starts, starts + timedelta(hours=3))


def test_with_sessions_bars_count_from_the_opening() -> None:
    assert slot_at(OPEN, HOUR, SESSIONS) == Slot(OPEN, OPEN + HOUR)
    assert slot_at(OPEN + 90 * MINUTE, HOUR, SESSIONS) == Slot(OPEN + HOUR, OPEN + 2 * HOUR)


def test_the_last_of_a_session_is_cut_short() -> None:
    closes = SESSIONS[0].closes
    assert slot_at(closes - MINUTE, HOUR, SESSIONS) == Slot(OPEN + 6 * HOUR, closes)
    assert slot_at(closes - MINUTE, DAY, SESSIONS) == Slot(OPEN, closes)


@pytest.mark.parametrize("at", [OPEN - timedelta(microseconds=1), SESSIONS[0].closes])
def test_between_sessions_there_is_none(at: datetime) -> None:
    assert slot_at(at, FIVE, SESSIONS) is None


def test_a_bar_never_spans_a_break_at_noon() -> None:
    hours = (Session(OPEN, OPEN + 2 * HOUR), Session(OPEN + 3 * HOUR, OPEN + 5 * HOUR))
    assert slot_at(OPEN + HOUR, 4 * HOUR, hours) == Slot(OPEN, OPEN + 2 * HOUR)
    assert slot_at(OPEN + 4 * HOUR, 4 * HOUR, hours) == Slot(OPEN + 3 * HOUR, OPEN + 5 * HOUR)


@pytest.mark.parametrize("size", [timedelta(seconds=1), FIVE, DAY])
def test_a_bar_may_last_from_a_second_to_a_day(size: timedelta) -> None:
    check_size(size)


@pytest.mark.parametrize("size", [timedelta(0), timedelta(milliseconds=999), DAY + MINUTE])
def test_no_other_may(size: timedelta) -> None:
    with pytest.raises(ValueError, match=f"from one second to one day, not {size}"):
        check_size(size)
