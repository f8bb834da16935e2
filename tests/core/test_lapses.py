from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ibkr_trader.core.lapses import age, exact, lapse, until

NOW = datetime(2026, 1, 28, 15, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (90_000, "1d")],
)
def test_a_lapse_is_told_in_one_unit(seconds: int, shown: str) -> None:
    assert lapse(NOW - timedelta(seconds=seconds), NOW) == shown


def test_nobody_knows_since_when() -> None:
    assert lapse(None, NOW) == "–"
    assert age(None, NOW) == "–"


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0s"), (9, "0s"), (37, "30s"), (61, "1m")])
def test_an_age_is_coarse(seconds: int, shown: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(12, "12s"), (65, "1m 05s"), (3_700, "1h 01m"), (200_000, "2d 7h")]
)
def test_a_naked_time_is_exact_while_it_matters(seconds: int, shown: str) -> None:
    assert exact(NOW - timedelta(seconds=seconds), NOW) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "under 1 min"),
        (59, "under 1 min"),
        (60, "1 min"),
        (21_509, "5h 58m"),
        (86_400 * 2, "2d 0h"),
    ],
)
def test_the_time_until_something(seconds: int, shown: str) -> None:
    assert until(NOW + timedelta(seconds=seconds), NOW) == shown
