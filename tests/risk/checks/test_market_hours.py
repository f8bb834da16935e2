from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.core.enums import OrderType, TimeInForce
from ibkr_trader.core.models import OrderSpec, Session
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    EXTENDED,
    NOW,
    REGULAR,
    bracket,
    details,
    held,
    judge,
    limit,
    limits,
    reasons,
    review,
    spec,
    submit,
    view,
)

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = NOW + timedelta(hours=12)
MORNING, EVENING = REGULAR[0].opens, REGULAR[0].closes  # the first moment that is closed
TICK = timedelta(microseconds=1)
DELAY, CUTOFF = timedelta(minutes=5), timedelta(minutes=15)


def at(now: datetime) -> RiskView:
    return view(held(5), now=now)


def test_the_exchanges_time_counts_whatever_this_machine_says() -> None:
    ahead = timedelta(seconds=9)
    fast = view(held(5), now=MORNING + DELAY, clock_skew=ahead)
    assert len(judge("market_hours", bracket(), fast)) == 1
    slow = view(held(5), now=MORNING + DELAY - ahead, clock_skew=-ahead)
    assert judge("market_hours", bracket(), slow) == []


def said(order: OrderSpec, now: datetime) -> list[str]:
    return [breach.message for breach in judge("market_hours", submit(order), at(now))]


def after_hours(**more: object) -> OrderSpec:
    return msgspec.structs.replace(limit("BUY", 10, "150"), outside_rth=True, **more)


def of_type(order_type: OrderType) -> OrderSpec:
    return spec("BUY", 10, order_type=order_type)


def test_open_from_some_minutes_after_the_opening_to_some_before_the_close() -> None:
    assert judge("market_hours", bracket(), at(MORNING + DELAY)) == []
    assert judge("market_hours", bracket(), at(EVENING - CUTOFF - TICK)) == []
    (early,) = judge("market_hours", bracket(), at(MORNING + DELAY - TICK))
    assert early.message == ("AAPL opened at 14:30:00 UTC; nothing is opened in the first 300 s.")
    assert (early.hint, early.limit) == (
        "try again at 2026-11-20 14:35:00 UTC",
        "2026-11-20T14:35:00+00:00",
    )
    (late,) = judge("market_hours", bracket(), at(EVENING - CUTOFF))
    assert late.message == "AAPL closes at 21:00:00 UTC; openings go out until 20:45:00 UTC."
    assert late.hint == "try again at 2026-11-23 14:35:00 UTC"
    assert len(judge("market_hours", bracket(), at(EVENING))) == 1
    assert len(judge("market_hours", bracket(), at(MORNING - TICK))) == 1


def test_both_ends_are_limits() -> None:
    world = view(now=MORNING, limits=limits(entry_delay=TICK, entry_cutoff=TICK))
    assert len(judge("market_hours", bracket(), world)) == 1
    world = msgspec.structs.replace(world, now=MORNING + TICK)
    assert judge("market_hours", bracket(), world) == []
    world = msgspec.structs.replace(world, now=EVENING - TICK - TICK)
    assert judge("market_hours", bracket(), world) == []


def test_closed_says_when_it_opens_and_when_for_us() -> None:
    (breach,) = judge("market_hours", bracket(), at(NIGHT))
    assert breach.message == "AAPL is closed; it opens 2026-11-23 14:30:00 UTC."
    assert breach.limit == "2026-11-23T14:30:00+00:00"
    assert breach.hint == "try again at 2026-11-23 14:35:00 UTC"


def test_beyond_its_calendar_it_says_that() -> None:
    (breach,) = judge("market_hours", bracket(), at(NOW + timedelta(days=30)))
    assert "no opening" in breach.message
    assert (breach.hint, breach.limit) == ("ibkr-trader doctor", "")
    last = REGULAR[1].closes - timedelta(minutes=1)
    (breach,) = judge("market_hours", bracket(), at(last))
    assert breach.hint == "closing goes on as usual"


@pytest.mark.parametrize(
    ("outside_rth", "priced", "lacking"),
    [
        (True, True, []),
        (True, False, ["give it a limit price"]),
        (False, True, ["add --outside-rth"]),
        (False, False, ["give it a limit price and --outside-rth"]),
    ],
)
def test_after_hours_only_priced_orders_that_ask_for_it(
    *, outside_rth: bool, priced: bool, lacking: list[str]
) -> None:
    order = limit("BUY", 10, "150") if priced else spec("BUY", 10)
    order = msgspec.structs.replace(order, outside_rth=outside_rth)
    found = judge("market_hours", submit(order), at(EVENING))
    hints = [breach.hint for breach in found]
    assert hints == [f"{words} to trade outside regular hours" for words in lacking]


def test_after_hours_only_the_last_minutes_are_closed() -> None:
    opens, closes = EXTENDED[0].opens, EXTENDED[0].closes
    assert said(after_hours(), opens) == []
    assert said(after_hours(), closes - CUTOFF - TICK) == []
    assert said(after_hours(), closes - CUTOFF) == [
        "AAPL closes at 01:00:00 UTC; openings go out until 00:45:00 UTC."
    ]


def test_an_order_for_the_opening_waits_for_it() -> None:
    order = spec("BUY", 10, time_in_force=TimeInForce.OPG)
    assert judge("market_hours", submit(order), at(NIGHT)) == []
    assert judge("market_hours", submit(order), at(MORNING)) == []
    assert len(judge("market_hours", submit(order), at(NOW + timedelta(days=30)))) == 1


@pytest.mark.parametrize("order_type", [OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE])
def test_an_order_for_the_close_goes_out_as_long_as_exchanges_take_it(
    order_type: OrderType,
) -> None:
    order, last = of_type(order_type), EVENING - timedelta(minutes=10)
    assert said(order, MORNING) == []
    assert said(order, last - TICK) == []
    assert said(order, last) == [
        "AAPL closes at 21:00:00 UTC; orders for its closing auction are taken until 20:50:00 UTC."
    ]


def test_unknown_hours_open_nothing() -> None:
    blank = details(liquid_sessions=(), trading_sessions=())
    with pytest.raises(FactMissing, match="trading hours"):
        judge("market_hours", bracket(), view(details={1: blank}))


@pytest.mark.parametrize("now", [NIGHT, MORNING, EVENING - TICK])
def test_a_close_is_never_held_back(now: datetime) -> None:
    assert reasons(review(submit(spec("SELL", 5)), at(now))) == set()


def test_an_order_for_a_later_time_is_judged_by_that() -> None:
    evening = spec("BUY", 10, good_after=NOW + timedelta(hours=7))
    (breach,) = judge("market_hours", submit(evening), view())
    assert "is closed at 2026-11-20 22:00:00 UTC" in breach.message
    assert not judge("market_hours", submit(spec(good_after=NOW + timedelta(hours=5))), view())
    late = spec("BUY", 10, good_after=EVENING - TICK)
    (breach,) = judge("market_hours", submit(late), view())
    assert "until 20:45:00 UTC at 2026-11-20 20:59:59 UTC" in breach.message
    early = NOW - timedelta(hours=2)
    morning = spec("BUY", 10, good_after=NOW)
    assert not judge("market_hours", submit(morning), view(now=early))


def half_day(now: datetime) -> RiskView:
    """The Friday after Thanksgiving, and the Monday that follows."""
    sessions = tuple(
        Session(
            datetime(2026, 11, day, 9, 30, tzinfo=NEW_YORK).astimezone(UTC),
            datetime(2026, 11, day, hour, tzinfo=NEW_YORK).astimezone(UTC),
        )
        for day, hour in ((27, 13), (30, 16))
    )
    return view(now=now, zone=NEW_YORK, details={1: details(liquid_sessions=sessions)})


def test_a_half_day_is_told_and_ends_earlier() -> None:
    noon = datetime(2026, 11, 27, 12, tzinfo=NEW_YORK)
    (warning,) = judge("market_hours", bracket(), half_day(noon))
    assert warning.is_warning
    assert warning.message == "AAPL closes early: at 2026-11-27 13:00:00 EST."
    assert warning.hint == "openings end 900 s before"
    found = judge("market_hours", bracket(), half_day(noon + timedelta(minutes=45)))
    assert [breach.is_warning for breach in found] == [False, True]
    monday = datetime(2026, 11, 30, 12, tzinfo=NEW_YORK)
    assert judge("market_hours", bracket(), half_day(monday)) == []


@pytest.mark.parametrize(("now", "count"), [(NOW, 2), (MORNING, 0), (EVENING - CUTOFF, 0)])
def test_its_gauge_counts_what_may_be_opened(now: datetime, count: int) -> None:
    gauge = CHECKS["market_hours"].gauge
    assert gauge is not None
    (found,) = gauge(view(now=now))
    assert found.note == (
        f"from 300 s after the opening to 900 s before the close; {count} of 2 known markets now"
    )
