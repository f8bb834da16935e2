from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.core.enums import TimeInForce
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    NOW,
    REGULAR,
    bracket,
    details,
    held,
    judge,
    limit,
    reasons,
    review,
    spec,
    submit,
    view,
)

NIGHT = NOW + timedelta(hours=12)
EVENING = REGULAR[0].closes  # the first moment that is closed


def at(now: object) -> RiskView:
    return view(held(5), now=now)


def test_open_from_the_first_moment_to_before_the_last() -> None:
    assert judge("market_hours", bracket(), at(REGULAR[0].opens)) == []
    assert judge("market_hours", bracket(), at(EVENING - timedelta(microseconds=1))) == []
    assert len(judge("market_hours", bracket(), at(EVENING))) == 1
    assert len(judge("market_hours", bracket(), at(REGULAR[0].opens - timedelta(seconds=1)))) == 1


def test_closed_says_when_it_opens() -> None:
    (breach,) = judge("market_hours", bracket(), at(NIGHT))
    assert breach.message == "AAPL is closed; it opens 2026-11-23 14:30:00 UTC."
    assert breach.limit == "2026-11-23T14:30:00+00:00"
    assert breach.hint == "try again at 2026-11-23 14:30:00 UTC"


def test_beyond_its_calendar_it_says_that() -> None:
    (breach,) = judge("market_hours", bracket(), at(NOW + timedelta(days=30)))
    assert "no opening" in breach.message
    assert (breach.hint, breach.limit) == ("ibkr-trader doctor", "")


@pytest.mark.parametrize(
    ("outside_rth", "priced", "denied"),
    [(True, True, False), (True, False, True), (False, True, True)],
)
def test_after_hours_only_priced_orders_that_ask_for_it(
    *, outside_rth: bool, priced: bool, denied: bool
) -> None:
    order = limit("BUY", 10, "150") if priced else spec("BUY", 10)
    (order,) = (
        type(order)(
            **{f: getattr(order, f) for f in order.__struct_fields__} | {"outside_rth": outside_rth}
        ),
    )
    found = judge("market_hours", submit(order), at(EVENING))
    assert bool(found) is denied
    assert all("--outside-rth" in breach.hint for breach in found)


def test_an_order_for_the_opening_waits_for_it() -> None:
    order = spec("BUY", 10, time_in_force=TimeInForce.OPG)
    assert judge("market_hours", submit(order), at(NIGHT)) == []
    assert len(judge("market_hours", submit(order), at(NOW + timedelta(days=30)))) == 1


def test_unknown_hours_open_nothing() -> None:
    blank = details(liquid_sessions=(), trading_sessions=())
    with pytest.raises(FactMissing, match="trading hours"):
        judge("market_hours", bracket(), view(details={1: blank}))


def test_a_close_is_never_held_back() -> None:
    assert reasons(review(submit(spec("SELL", 5)), at(NIGHT))) == set()


def test_an_order_for_a_later_time_is_judged_by_that() -> None:
    evening = spec("BUY", 10, good_after=NOW + timedelta(hours=7))
    (breach,) = judge("market_hours", submit(evening), view())
    assert "is closed at 2026-11-20 22:00:00 UTC" in breach.message
    assert not judge("market_hours", submit(spec(good_after=NOW + timedelta(hours=5))), view())
    early = NOW - timedelta(hours=2)
    morning = spec("BUY", 10, good_after=NOW)
    assert not judge("market_hours", submit(morning), view(now=early))
