from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    D,
    bracket,
    held,
    judge,
    limits,
    reasons,
    review,
    spec,
    submit,
    view,
)


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (0, []),
        (2, []),
        (-2, []),
        (2.1, [True]),
        (-2.1, [True]),
        (10, [True]),
        (10.1, [False]),
        (-10.1, [False]),
        (3600, [False]),
        (-3600, [False]),
    ],
)
def test_a_little_is_told_and_much_is_denied(seconds: float, found: list[bool]) -> None:
    world = view(clock_skew=timedelta(seconds=seconds))
    assert [one.is_warning for one in judge("clock_skew", bracket(), world)] == found


def test_an_hour_is_named_with_its_direction_and_what_to_do() -> None:
    (breach,) = judge("clock_skew", bracket(), view(clock_skew=timedelta(hours=1)))
    assert breach.message == (
        "This machine's clock is 3,600 s ahead of the broker's; the limit is 10 s."
    )
    assert (breach.limit, breach.actual) == ("10 s", "3,600 s")
    assert "timedatectl" in breach.hint
    (breach,) = judge("clock_skew", bracket(), view(clock_skew=timedelta(seconds=-3)))
    assert breach.message == "This machine's clock is 3 s behind the broker's."


def test_the_limit_may_be_below_what_is_warned_of() -> None:
    strict = limits(max_clock_skew=timedelta(seconds=1))
    world = view(clock_skew=timedelta(seconds=1.5), limits=strict)
    assert [one.is_warning for one in judge("clock_skew", bracket(), world)] == [False]


def test_what_nobody_knows_stands_against_openings_alone() -> None:
    unknown = view(held(5), clock_skew=None)
    with pytest.raises(FactMissing) as missing:
        judge("clock_skew", bracket(), unknown)
    assert (missing.value.about, missing.value.hint) == ("clock_skew", "ibkr-trader doctor --deep")
    assert reasons(review(bracket(), unknown)) == {"clock_skew"}
    assert reasons(review(submit(spec("SELL", 5)), unknown)) == set()


def test_no_exit_is_held() -> None:
    wrong = view(held(5), clock_skew=timedelta(hours=1))
    assert "clock_skew" in reasons(review(bracket(), wrong))
    assert reasons(review(submit(spec("SELL", 5)), wrong)) == set()


def test_its_gauge_has_the_distance() -> None:
    gauge = CHECKS["clock_skew"].gauge
    assert gauge is not None
    (found,) = gauge(view(clock_skew=timedelta(seconds=-3)))
    assert (found.used, found.limit, found.note) == (D(3), D(10), "")
    (found,) = gauge(view(clock_skew=None))
    assert (found.used, found.note) == (None, "the broker has not told its time yet")
