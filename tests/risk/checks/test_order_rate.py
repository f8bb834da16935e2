from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.risk.history import History
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    NOW,
    bracket,
    held,
    judge,
    limit,
    limits,
    modify,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)


def sent(*ages: float, **changes: object) -> RiskView:
    openings = tuple(NOW - timedelta(seconds=age) for age in sorted(ages, reverse=True))
    return view(held(5), history=History(openings=openings), **changes)


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        ([], []),
        ([1], []),
        ([0.9], ["second"]),
        ([3, 7], []),  # a person in a hurry
        ([2, 3, 4, 5, 6], []),
        ([2, 3, 4, 5, 6, 59.9], ["minute"]),
        ([2, 3, 4, 5, 6, 60], []),
        ([0.5, 3, 4, 5, 6, 7], ["second", "minute"]),
        ([3600 + n for n in range(59)], []),
        ([3600 + n for n in range(60)], ["day"]),
        ([86_400 + n for n in range(60)], []),
        ([-3] * 70, []),  # the simulator's clock was set back
    ],
)
def test_so_many_in_any_stretch_of_time(ages: list[float], words: list[str]) -> None:
    found = judge("order_rate", bracket(), sent(*ages))
    assert [
        word
        for breach in found
        for word in ("second", "minute", "day")
        if f"last {word}" in breach.message
    ] == words


def test_the_hint_is_how_long_to_wait() -> None:
    (breach,) = judge("order_rate", bracket(), sent(10, 20, 30, 40, 50, 52, 55))
    assert breach.hint == "try again in 8 s, or set [risk] max_openings_per_minute in config.toml"
    assert (breach.limit, breach.actual) == ("6", "8")


def test_a_script_with_wider_limits_may_be_faster() -> None:
    ages = [3.0 * n for n in range(1, 20)]
    wide = limits(max_openings_per_minute=30, max_openings_per_day=10_000)
    assert judge("order_rate", bracket(), sent(*ages, limits=wide)) == []


def test_closes_and_changes_are_never_slowed() -> None:
    busy = sent(0.1, 0.2, 0.3)
    assert reasons(review(submit(spec("SELL", 5)), busy)) == set()
    order = working(limit("BUY", 5, "149"))
    world = view(order, history=busy.history)
    assert judge("order_rate", modify(order, quantity=6), world) == []


def test_a_preview_is_never_slowed() -> None:
    assert judge("order_rate", bracket(), sent(0.1, 0.2, 0.3, is_preview=True)) == []
