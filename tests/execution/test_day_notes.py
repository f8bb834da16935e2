from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.core.models import Contract, ContractDetails, Session
from ibkr_trader.execution.day_notes import day_notes

NEW_YORK = ZoneInfo("America/New_York")
AAPL = ContractDetails(contract=Contract(symbol="AAPL", con_id=1), time_zone="US/Eastern")
SAP = ContractDetails(
    contract=Contract(symbol="SAP", con_id=2, currency="EUR"), time_zone="Europe/Berlin"
)


def at(day: str, clock: str) -> datetime:
    return datetime.combine(
        date.fromisoformat(day), time.fromisoformat(clock), NEW_YORK
    ).astimezone(UTC)


def notes(day: str, clock: str, details: ContractDetails = AAPL) -> list[str]:
    return list(day_notes(details, ExchangeCalendar(), at(day, clock)))


@pytest.mark.parametrize(
    ("day", "clock", "said"),
    [
        ("2026-11-18", "10:00", []),  # a Wednesday like any other
        ("2026-11-20", "10:00", []),  # a Friday like any other: so is its weekend
        ("2026-11-18", "15:29", []),
        (
            "2026-11-18",
            "15:45",
            ["The market closes in 15 minutes, at 16:00: what is open then is held overnight."],
        ),
        (
            "2026-11-18",
            "15:59:40",
            ["The market closes in 1 minute, at 16:00: what is open then is held overnight."],
        ),
        ("2026-11-18", "09:00", ["The market opens at 09:30: until then orders wait."]),
        (
            "2026-11-18",
            "16:00",
            ["The market has closed for today: orders wait for the next session."],
        ),
        (
            "2026-11-21",
            "12:00",
            ["The market is closed today, Saturday: orders wait for the next session."],
        ),
        (
            "2026-11-25",
            "10:00",
            ["After today the market rests for a day: it opens again on Friday, 27 November."],
        ),
        (
            "2026-11-27",
            "12:45",
            [
                "A half day: the market closes at 13:00.",
                "The market closes in 15 minutes, at 13:00: what is open then is held overnight.",
            ],
        ),
        (
            "2026-07-02",  # Independence Day is a Saturday, so Friday is free
            "11:00",
            ["After today the market rests for 3 days: it opens again on Monday, 06 July."],
        ),
        (
            "2026-09-04",  # before Labor Day
            "11:00",
            ["After today the market rests for 3 days: it opens again on Tuesday, 08 September."],
        ),
    ],
)
def test_what_there_is_to_mind(day: str, clock: str, said: list[str]) -> None:
    assert notes(day, clock) == said


def test_the_brokers_hours_come_first() -> None:
    opens = at("2026-11-18", "09:30")
    early = AAPL.__class__(
        contract=AAPL.contract,
        time_zone="US/Eastern",
        liquid_sessions=(
            Session(opens, opens + timedelta(hours=2)),
            Session(opens + timedelta(days=1), opens + timedelta(days=1, hours=6.5)),
        ),
    )
    assert notes("2026-11-18", "10:00", early) == ["A half day: the market closes at 11:30."]


def test_an_early_close_that_is_told_already_is_not_told_twice() -> None:
    friday, closes = at("2026-11-27", "12:45"), at("2026-11-27", "13:00")
    twice = day_notes(AAPL, ExchangeCalendar(), friday)
    assert twice[0] == "A half day: the market closes at 13:00."
    assert day_notes(AAPL, ExchangeCalendar(), friday, told={closes}) == twice[1:]
    later = closes + timedelta(hours=1)  # the calendar knows better
    assert day_notes(AAPL, ExchangeCalendar(), friday, told={later}) == twice


def test_a_market_that_is_never_open_for_long_has_no_half_days() -> None:
    opens = at("2026-11-18", "03:00")
    days = [opens + timedelta(days=n) for n in (0, 1)]
    short = SAP.__class__(
        contract=SAP.contract,
        time_zone="Europe/Berlin",
        liquid_sessions=tuple(Session(day, day + timedelta(hours=5)) for day in days),
    )
    assert notes("2026-11-18", "05:00", short) == []


def test_a_market_that_nobody_knows() -> None:
    assert notes("2026-11-18", "10:00", SAP) == ["Nobody says when this market trades today."]


def test_of_a_market_that_only_the_broker_knows_the_days_ahead_may_be_unknown() -> None:
    opens = at("2026-11-18", "03:00")
    one_day = SAP.__class__(
        contract=SAP.contract,
        time_zone="Europe/Berlin",
        liquid_sessions=(Session(opens, opens + timedelta(hours=8.5)),),
    )
    assert notes("2026-11-18", "05:00", one_day) == []
