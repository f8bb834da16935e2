"""When a market closes: two sources, and every way in which they can differ or be silent."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import (
    Contract,
    ContractDetails,
    GroupId,
    OrderId,
    OrderSpec,
    Session,
)
from ibkr_trader.core.trading_day import (
    Announced,
    TradingDay,
    clock_of,
    date_of,
    exchange_time,
    is_half_day,
    session_at,
    session_from,
    sessions_of,
    trading_day,
)

NEW_YORK = ZoneInfo("America/New_York")


def test_what_the_machine_is_ahead_is_taken_off() -> None:
    at, hour = datetime(2026, 11, 20, 15, tzinfo=UTC), timedelta(hours=1)
    assert exchange_time(at, hour) == at - hour
    assert exchange_time(at, -hour) == at + hour
    assert exchange_time(at, None) == at


@pytest.mark.parametrize("text", ["", "9:45", "24:00", "09:60", "09:45:00", " 09:45", "٠٩:٤٥"])
def test_what_is_no_time_of_day(text: str) -> None:
    assert clock_of(text) is None


def test_a_time_of_day() -> None:
    assert clock_of("09:45") == time(9, 45)


CHICAGO = ZoneInfo("America/Chicago")
FRIDAY = date(2026, 11, 27)


def session(day: int, opens: str = "09:30", closes: str = "16:00", month: int = 11) -> Session:
    """Return a session in New York, of 2026."""

    def at(text: str) -> datetime:
        hour, minute = map(int, text.split(":"))
        return datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)

    return Session(at(opens), at(closes))


FULL, HALF, MONDAY = session(27), session(27, closes="13:00"), session(30)


@pytest.mark.parametrize(
    ("broker", "announced", "closes", "word"),
    [
        ([FULL, MONDAY], Announced(FULL), FULL.closes, ""),
        ([HALF, MONDAY], Announced(HALF), HALF.closes, ""),
        # They differ: the earlier counts, whoever says it.
        ([FULL, MONDAY], Announced(HALF), HALF.closes, "16:00, the exchange's calendar at 13:00"),
        ([HALF, MONDAY], Announced(FULL), HALF.closes, "13:00, the exchange's calendar at 16:00"),
        # A holiday, by both; a closure that only the broker knows; one that it does not know.
        ([MONDAY], Announced(None), None, ""),
        ([MONDAY], Announced(FULL), None, "by the calendar and none by the broker"),
        ([FULL, MONDAY], Announced(None), FULL.closes, "by the broker and none by the calendar"),
        # One of them says nothing.
        ([], Announced(HALF), HALF.closes, "the broker does not say"),
        ([session(25)], Announced(None), None, "the broker does not say"),
        ([FULL], None, FULL.closes, "only the broker says"),
        ([MONDAY], None, None, "only the broker says"),
    ],
)
def test_f_f06_the_earlier_close_counts_and_it_says_so(
    broker: list[Session], announced: Announced | None, closes: datetime | None, word: str
) -> None:
    found = trading_day(broker, announced, day=FRIDAY, zone=NEW_YORK)
    assert found.is_known
    assert (found.session.closes if found.session else None) == closes
    assert word in " ".join(found.notes)
    assert bool(word) == bool(found.notes)


def test_what_nobody_says_is_unknown() -> None:
    found = trading_day([], None, day=FRIDAY, zone=NEW_YORK)
    assert found == TradingDay(
        date=FRIDAY, is_known=False, notes=("nobody says when it trades on 2026-11-27",)
    )
    assert found.phase(FULL.opens) == "unknown"


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        (FULL.opens, "open"),
        (FULL.closes, "after"),
        (session(27, "09:00", "09:29").closes, "before"),
    ],
)
def test_the_phase_of_a_day(now: datetime, phase: str) -> None:
    assert TradingDay(date=FRIDAY, session=FULL).phase(now) == phase
    assert TradingDay(date=FRIDAY).phase(now) == "holiday"


def test_a_break_at_noon_ends_nothing() -> None:
    day = [session(27, "09:30", "12:00"), session(27, "13:00", "16:00"), MONDAY]
    found = trading_day(day, None, day=FRIDAY, zone=NEW_YORK)
    assert found.session == FULL


def test_an_evening_session_is_of_the_next_day() -> None:
    """Futures: from 17:00 of the day before to 16:00, in Chicago."""
    opens = datetime(2026, 11, 26, 17, tzinfo=CHICAGO).astimezone(UTC)
    overnight = Session(opens, datetime(2026, 11, 27, 16, tzinfo=CHICAGO).astimezone(UTC))
    evening = datetime(2026, 11, 26, 20, tzinfo=CHICAGO)
    assert date_of([overnight], now=evening, zone=CHICAGO) == FRIDAY
    assert date_of([], now=evening, zone=CHICAGO) == date(2026, 11, 26)
    found = trading_day([overnight], None, day=FRIDAY, zone=CHICAGO)
    assert found.session == overnight


@pytest.mark.parametrize(
    ("one", "others", "is_half"),
    [
        (HALF, [HALF, MONDAY], True),
        (FULL, [HALF, MONDAY], False),
        (session(27, closes="15:00"), [MONDAY], True),
        (session(27, closes="15:01"), [MONDAY], False),
        (HALF, [HALF], False),  # a market that is never open for longer
        (HALF, [], False),
    ],
)
def test_a_half_day_is_an_hour_shorter_than_the_longest(
    one: Session, others: list[Session], is_half: bool
) -> None:
    assert is_half_day(one, others) is is_half


def test_which_hours_an_order_has() -> None:
    """The flag means nothing to an order without a limit: it waits for the regular session."""
    contract = Contract(symbol="AAPL", con_id=1)
    begins = datetime(2026, 11, 23, 9, tzinfo=UTC)
    early = Session(begins, begins + timedelta(hours=16))
    regular = Session(begins + timedelta(hours=5.5), begins + timedelta(hours=12))
    details = ContractDetails(
        contract=contract, trading_sessions=(early,), liquid_sessions=(regular,)
    )

    def hours(*, limit: str | None, outside: bool) -> tuple[Session, ...]:
        spec = OrderSpec(
            order_id=OrderId("a-1-x"),
            group_id=GroupId("a-1"),
            role=OrderRole.SINGLE,
            contract=contract,
            account="SIM0000001",
            side=Side.SELL,
            quantity=Decimal(1),
            order_type=OrderType.STOP if limit is None else OrderType.LIMIT,
            limit_price=None if limit is None else Decimal(limit),
            outside_rth=outside,
        )
        return sessions_of(spec, details)

    assert hours(limit="150", outside=True) == (early,)
    assert hours(limit="150", outside=False) == (regular,)
    assert hours(limit=None, outside=True) == (regular,)


def test_which_session_is_on() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    first = Session(noon, noon + timedelta(hours=1))
    second = Session(noon + timedelta(hours=2), noon + timedelta(hours=3))
    moments = [noon + timedelta(minutes=30 * step) for step in (-1, 0, 1, 2, 4)]
    found = [session_at((first, second), moment) for moment in moments]
    assert found == [None, first, first, None, second]


@pytest.mark.parametrize(("hours", "place"), [(-1, 0), (0, 0), (5, 0), (6, 1), (29, 1), (30, None)])
def test_the_session_from_a_moment_on_is_the_one_that_is_on_or_else_the_next(
    hours: int, place: int | None
) -> None:
    hour, noon = timedelta(hours=1), datetime(2026, 11, 23, 12, tzinfo=UTC)
    days = [Session(noon + n * hour, noon + (n + 6) * hour) for n in (0, 24)]
    found = session_from(days, noon + hours * hour)
    assert found == (days[place] if place is not None else None)
    assert session_from((), noon) is None
