from datetime import UTC, date, datetime, timedelta

import pytest

from ibkr_trader.sim import calendar as cal
from ibkr_trader.sim.calendar import NEW_YORK, Phase
from tests.sim.nyse_days import CLOSED, HALF


def ny(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK)


def days_of(table: str) -> set[date]:
    rows = (line.split() for line in table.split("\n") if line)
    return {date.fromisoformat(year + day) for year, *days in rows for day in days}


def test_sessions_from_2015_to_2030_are_those_of_the_exchange() -> None:
    closed, half = days_of(CLOSED), days_of(HALF)
    day = date(2015, 1, 1)
    while day <= date(2030, 12, 31):
        found = cal.stock_day(day)
        if day.weekday() >= 5 or day in closed:
            assert found is None, day
        else:
            assert found is not None, day
            assert found.regular.opens == ny(day, 9, 30)
            assert found.regular.closes == ny(day, 13 if day in half else 16), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("year", "day"),
    [(2015, date(2015, 4, 5)), (2019, date(2019, 4, 21)), (2024, date(2024, 3, 31)),
     (2026, date(2026, 4, 5)), (2030, date(2030, 4, 21))],
)  # fmt: skip
def test_easter(year: int, day: date) -> None:
    assert cal.easter(year) == day


@pytest.mark.parametrize(
    ("day", "is_open", "is_half"),
    [
        (date(2026, 1, 1), False, False),
        (date(2026, 4, 3), False, False),  # Good Friday
        (date(2026, 6, 19), False, False),
        (date(2021, 6, 18), True, False),  # Juneteenth is kept since 2022
        (date(2021, 12, 31), True, False),  # New Year on a Saturday moves nothing
        (date(2026, 7, 3), False, False),  # the 4th is a Saturday
        (date(2025, 7, 3), True, True),
        (date(2026, 11, 27), True, True),
        (date(2026, 12, 24), True, True),
        (date(2025, 1, 9), False, False),  # President Carter
        (date(2026, 11, 21), False, False),
    ],
)
def test_days(day: date, is_open: bool, is_half: bool) -> None:
    assert cal.is_trading_day(day) is is_open
    assert cal.is_half_day(day) is is_half


@pytest.mark.parametrize("day", [date(2026, 3, 6), date(2026, 3, 9), date(2026, 11, 2)])
def test_daylight_saving_moves_utc_and_not_new_york(day: date) -> None:
    found = cal.stock_day(day)
    assert found is not None
    assert found.regular.opens == ny(day, 9, 30)
    assert found.regular.closes == ny(day, 16)
    assert (found.trading.opens, found.trading.closes) == (ny(day, 4), ny(day, 20))
    assert found.regular.opens.tzinfo is UTC


@pytest.mark.parametrize(
    ("sec_type", "hour", "minute", "phase"),
    [
        ("STK", 3, 59, Phase.CLOSED),
        ("STK", 4, 0, Phase.EXTENDED),
        ("STK", 9, 30, Phase.REGULAR),
        ("STK", 15, 59, Phase.REGULAR),
        ("STK", 16, 0, Phase.EXTENDED),
        ("STK", 20, 0, Phase.CLOSED),
        ("OPT", 9, 29, Phase.CLOSED),
        ("OPT", 9, 30, Phase.REGULAR),
        ("OPT", 16, 0, Phase.CLOSED),
        ("CASH", 3, 0, Phase.REGULAR),
        ("CASH", 17, 5, Phase.CLOSED),
        ("CASH", 17, 15, Phase.REGULAR),
    ],
)
def test_phases_of_a_tuesday(sec_type: str, hour: int, minute: int, phase: Phase) -> None:
    assert cal.phase_at(sec_type, ny(date(2026, 11, 24), hour, minute)) is phase


def test_currencies_rest_at_the_weekend() -> None:
    friday, sunday = date(2026, 11, 20), date(2026, 11, 22)
    assert cal.phase_at("CASH", ny(friday, 16, 59)) is Phase.REGULAR
    assert cal.phase_at("CASH", ny(friday, 17, 30)) is Phase.CLOSED
    assert cal.phase_at("CASH", ny(sunday, 17, 14)) is Phase.CLOSED
    assert cal.phase_at("CASH", ny(sunday, 17, 15)) is Phase.REGULAR


FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)


@pytest.mark.parametrize(
    ("moment", "extended", "opens"),
    [
        (ny(FRIDAY, 3), True, ny(FRIDAY, 4)),
        (ny(FRIDAY, 3), False, ny(FRIDAY, 9, 30)),
        (ny(FRIDAY, 10), False, ny(MONDAY, 9, 30)),
        (ny(FRIDAY, 10), True, ny(MONDAY, 4)),
        (ny(FRIDAY, 21), False, ny(MONDAY, 9, 30)),
    ],
)
def test_the_next_opening(moment: datetime, extended: bool, opens: datetime) -> None:
    assert cal.next_opening("STK", moment, extended=extended) == opens


@pytest.mark.parametrize(
    ("moment", "extended", "ends"),
    [
        (ny(FRIDAY, 10), False, ny(FRIDAY, 16)),
        (ny(FRIDAY, 10), True, ny(FRIDAY, 20)),
        (ny(FRIDAY, 17), False, ny(MONDAY, 16)),
        (ny(FRIDAY, 17), True, ny(FRIDAY, 20)),
        (ny(FRIDAY, 21), True, ny(MONDAY, 20)),
    ],
)
def test_when_a_day_order_ends(moment: datetime, extended: bool, ends: datetime) -> None:
    assert cal.day_end("STK", moment, extended=extended) == ends


def test_neighbours_of_a_holiday() -> None:
    thanksgiving = date(2026, 11, 26)
    assert cal.previous_trading_day(thanksgiving) == date(2026, 11, 25)
    assert cal.next_trading_day(thanksgiving) == date(2026, 11, 27)


def test_midnight_is_new_yorks() -> None:
    assert cal.midnight_after(ny(FRIDAY, 23, 59)) == ny(date(2026, 11, 21), 0)
    assert cal.local_date(datetime(2026, 11, 21, 4, 59, tzinfo=UTC)) == FRIDAY


def test_options_expire_on_the_third_friday_or_the_day_before() -> None:
    assert cal.third_friday(2026, 12) == date(2026, 12, 18)
    assert cal.third_friday(2030, 4) == date(2030, 4, 18)  # Good Friday is the 19th
