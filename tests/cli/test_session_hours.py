"""Whether a market is open, and when that changes: the broker first, then the calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.cli.session_hours import USUAL, Hours, hours
from ibkr_trader.core.models import Contract, ContractDetails, Session


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


CALENDAR = ExchangeCalendar()
FRIDAY = Session(at(20, 14, 30), at(20, 21))
MONDAY = Session(at(23, 14, 30), at(23, 21))


def told(*sessions: Session) -> ContractDetails:
    return msgspec.structs.replace(USUAL, liquid_sessions=sessions)


def test_the_brokers_hours_count() -> None:
    details = told(FRIDAY, MONDAY)
    assert hours(details, CALENDAR, at(20, 14)) == Hours(False, at(20, 14, 30))
    assert hours(details, CALENDAR, at(20, 14, 30)) == Hours(True, at(20, 21))
    assert hours(details, CALENDAR, at(20, 20, 59)) == Hours(True, at(20, 21))
    assert hours(details, CALENDAR, at(20, 21)) == Hours(False, at(23, 14, 30))


def test_the_brokers_early_close_counts_though_no_calendar_has_it() -> None:
    early = Session(at(20, 14, 30), at(20, 18))
    assert hours(told(early), CALENDAR, at(20, 15)) == Hours(True, at(20, 18))


def test_where_the_broker_ends_the_calendar_goes_on() -> None:
    assert hours(told(FRIDAY), CALENDAR, at(20, 22)) == Hours(False, at(23, 14, 30))
    assert hours(USUAL, CALENDAR, at(20, 15)) == Hours(True, at(20, 21))
    # The 26th is Thanksgiving, the 27th ends at one o'clock.
    assert hours(USUAL, CALENDAR, at(26, 15)) == Hours(False, at(27, 14, 30))
    assert hours(USUAL, CALENDAR, at(27, 15)) == Hours(True, at(27, 18))


def test_of_a_market_that_nobody_knows_nothing_is_said() -> None:
    tokyo = ContractDetails(
        contract=Contract(symbol="7203", currency="JPY"), time_zone="Asia/Tokyo"
    )
    assert hours(tokyo, CALENDAR, at(20, 15)) == Hours(None, None)
