"""What New York has announced, whatever the hour here; and silence about everything else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import Contract, ContractDetails, Session
from ibkr_trader.core.trading_day import Announced
from tests.sim.nyse_days import CLOSED, HALF
from tests.sim.test_calendar import days_of

CALENDAR = ExchangeCalendar()


def details(zone: str = "US/Eastern", **terms: Any) -> ContractDetails:
    contract = Contract(symbol="AAPL", con_id=265598, **terms)
    return ContractDetails(contract=contract, time_zone=zone)


def closes(day: date) -> str:
    """Return when New York closes, in UTC; empty if it does not open."""
    announced = CALENDAR.announced(details(), day)
    assert announced is not None
    return f"{announced.session.closes:%H:%M}" if announced.session is not None else ""


def test_it_agrees_with_another_calendar_from_2015_to_2030() -> None:
    closed, half = days_of(CLOSED), days_of(HALF)
    day = date(2015, 1, 1)
    while day <= date(2030, 12, 31):
        announced = CALENDAR.announced(details(), day)
        assert announced is not None
        session = announced.session
        assert (session is None) == (day.weekday() >= 5 or day in closed), day
        if session is not None:
            length = session.closes - session.opens
            assert length == timedelta(hours=3.5 if day in half else 6.5), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "closes_at"),
    [
        (date(2026, 11, 25), "21:00"),
        (date(2026, 11, 26), ""),  # Thanksgiving
        (date(2026, 11, 27), "18:00"),
        (date(2026, 12, 24), "18:00"),
        (date(2026, 12, 25), ""),
        (date(2026, 3, 6), "21:00"),  # the last day before the clocks change
        (date(2026, 3, 9), "20:00"),
        (date(2026, 3, 27), "20:00"),  # Europe has not changed yet
        (date(2026, 10, 30), "20:00"),  # Europe has, New York has not
        (date(2026, 11, 2), "21:00"),
    ],
)
@pytest.mark.parametrize("host", ["Asia/Tokyo", "Europe/Zurich", "America/Los_Angeles"])
def test_f_f05_the_close_is_new_yorks_whatever_the_zone_of_the_host(
    day: date, closes_at: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", host)
    assert closes(day) == closes_at


def test_the_opening_is_half_past_nine() -> None:
    day = date(2026, 11, 27)
    opens, closes_at = (datetime(2026, 11, 27, *at, tzinfo=UTC) for at in ((14, 30), (18, 0)))
    assert CALENDAR.announced(details(), day) == Announced(Session(opens, closes_at))


def test_of_other_markets_it_knows_nothing() -> None:
    day = date(2026, 11, 27)
    for one in (
        details("MET", currency="EUR"),
        details("US/Central", sec_type=SecType.FUTURE),
        details(sec_type=SecType.CASH),
        details("Japan", currency="JPY"),
    ):
        assert CALENDAR.announced(one, day) is None
    assert CALENDAR.announced(details(), date(2014, 12, 31)) is None
    assert CALENDAR.announced(details(sec_type=SecType.OPTION), day) is not None


@pytest.mark.parametrize(
    ("zone", "name"),
    [("US/Eastern", "America/New_York"), ("EST5EDT", "America/New_York"), ("MET", "MET")],
)
def test_the_zone_is_the_exchanges(zone: str, name: str) -> None:
    assert CALENDAR.zone(details(zone)) == ZoneInfo(name)


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../etc"])
def test_a_zone_that_nobody_knows_is_utc(zone: str) -> None:
    assert CALENDAR.zone(details(zone)) is UTC
