from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import RiskView
from tests.risk.world import bracket, held, judge, limits, reasons, review, spec, submit, view

NEW_YORK = ZoneInfo("America/New_York")


def world(now: datetime, *windows: str) -> RiskView:
    return view(held(5), now=now, zone=NEW_YORK, limits=limits(blackouts=frozenset(windows)))


def local(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "is_denied"),
    [
        (local(20, 23, 39, 59), False),
        (local(20, 23, 40), True),
        (local(20, 23, 59, 59), True),
        (local(21, 0), True),
        (local(21, 0, 19, 59), True),
        (local(21, 0, 20), False),
        (local(21, 12), False),
    ],
)
def test_a_window_over_midnight(now: datetime, *, is_denied: bool) -> None:
    assert bool(judge("blackout", bracket(), world(now, "23:40-00:20"))) is is_denied
    assert judge("blackout", bracket(), world(now)) == []


@pytest.mark.parametrize(
    ("minute", "is_denied"), [(24, False), (25, True), (34, True), (35, False)]
)
def test_a_window_within_a_day(minute: int, *, is_denied: bool) -> None:
    found = judge("blackout", bracket(), world(local(20, 8, minute), "23:40-00:20", "08:25-08:35"))
    assert bool(found) is is_denied


def test_it_says_until_when() -> None:
    (breach,) = judge("blackout", bracket(), world(local(20, 23, 50), "23:40-00:20"))
    assert breach.message == (
        "Nothing is opened in 23:40-00:20 by the exchange's clock; it is 23:50:00 EST."
    )
    assert breach.limit == "23:40-00:20"
    assert breach.hint == (
        "try again at 2026-11-21 00:20:00 EST, or set [risk] blackouts in config.toml"
    )
    (breach,) = judge("blackout", bracket(), world(local(21, 0, 10), "23:40-00:20"))
    assert "2026-11-21 00:20:00 EST" in breach.hint


@pytest.mark.parametrize(
    ("moment", "is_denied"),
    [
        # Summer time ends on 1 November 2026: the wall clock shows 01:30 twice.
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), False),
        # The same moment of two days is not the same time of them.
        (datetime(2026, 10, 31, 5, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 2, 5, 30, tzinfo=UTC), False),
        # On 8 March 2026 it goes from 01:59:59 to 03:00.
        (datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 8, 7, 0, tzinfo=UTC), False),
    ],
)
def test_the_wall_clock_counts_when_it_is_put_forward_or_back(
    moment: datetime, *, is_denied: bool
) -> None:
    assert bool(judge("blackout", bracket(), world(moment, "01:00-02:00"))) is is_denied


def test_what_begins_later_is_judged_by_then_too() -> None:
    order = spec("BUY", 10, good_after=local(20, 15, 30))
    (breach,) = judge("blackout", submit(order), world(local(20, 10), "15:25-15:35"))
    assert "it is meant for 15:30:00 EST" in breach.message
    (breach,) = judge("blackout", submit(order), world(local(20, 10), "09:55-10:05"))
    assert "it is 10:00:00 EST" in breach.message
    past = spec("BUY", 10, good_after=local(20, 9))
    assert judge("blackout", submit(past), world(local(20, 10), "08:55-09:05")) == []


def test_an_exit_goes_out_at_any_time() -> None:
    assert "blackout" in reasons(review(bracket(), world(local(20, 10), "09:00-11:00")))
    exit_ = submit(spec("SELL", 5))
    assert reasons(review(exit_, world(local(20, 10), "09:00-11:00"))) == set()


def test_its_gauge_has_the_windows_and_the_time() -> None:
    gauge = CHECKS["blackout"].gauge
    assert gauge is not None
    (found,) = gauge(world(local(20, 10), "23:40-00:20", "08:25-08:35"))
    assert found.note == "nothing is opened 08:25-08:35, 23:40-00:20; it is 10:00:00 EST"
    (found,) = gauge(world(local(20, 10) + timedelta(hours=1)))
    assert found.note == "none; it is 11:00:00 EST"
