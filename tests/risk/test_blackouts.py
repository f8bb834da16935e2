from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.risk.blackouts import (
    NO_WINDOW,
    end_after,
    holds,
    is_window,
    refuse_malformed,
    restarts,
)
from ibkr_trader.risk.limits import RiskLimits

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def test_what_can_be_read_is_taken() -> None:
    refuse_malformed(["23:40-00:20", "09:30-10:00"])
    refuse_malformed([])
    assert RiskLimits(blackouts=frozenset()).blackouts == frozenset()


@pytest.mark.parametrize(
    "text",
    ["", "23:40", "23:40-24:00", "24:00-01:00", "9:30-10:00", "09:30 - 10:00", "09:60-10:00",
     "09:30-09:30", "23:40-00:20 ", "23:40-00:20\n", "-", "٠٩:30-10:00", "09:30–10:00"],
)  # fmt: skip
def test_what_is_no_window_is_refused_by_the_name_of_the_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"^blackouts has .*23:40-00:20"):
        refuse_malformed([text])
    with pytest.raises(ValueError, match=r"^blackouts has "):
        RiskLimits(blackouts=frozenset({"23:40-00:20", text}))


@pytest.mark.parametrize(
    ("window", "clock", "is_in"),
    [
        ("23:00-01:00", (22, 59), False),
        ("23:00-01:00", (23, 0), True),
        ("23:00-01:00", (0, 59), True),
        ("23:00-01:00", (1, 0), False),
        ("09:05-10:00", (9, 4), False),
        ("09:05-10:00", (9, 5), True),
        ("09:05-10:00", (10, 0), False),
    ],
)
def test_it_holds_its_first_minute_and_not_its_last(
    window: str, clock: tuple[int, int], *, is_in: bool
) -> None:
    assert holds(window, datetime(2026, 7, 1, *clock, 30, tzinfo=BERLIN)) is is_in


def test_it_ends_by_the_wall_clock_of_its_day() -> None:
    night, ends = "23:00-01:00", datetime(2026, 7, 1, 23, tzinfo=UTC)
    assert end_after(night, datetime(2026, 7, 1, 21, 30, tzinfo=UTC), BERLIN) == ends
    assert end_after(night, datetime(2026, 7, 1, 22, 30, tzinfo=UTC), BERLIN) == ends


def test_a_window_has_two_ends_that_differ() -> None:
    assert is_window("23:40-00:20")
    assert not is_window("23:40-23:40")
    assert not is_window(NO_WINDOW)


def test_a_restart_is_told_with_its_end_by_the_exchanges_clock() -> None:
    end = datetime(2026, 11, 21, 5, 20, tzinfo=UTC)
    assert restarts(end, NEW_YORK) == "restart window until 00:20 EST"
