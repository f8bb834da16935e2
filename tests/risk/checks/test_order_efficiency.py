from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.core.tallies import Traffic
from ibkr_trader.risk.check import CHECKS
from tests.risk.world import (
    NOW,
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

SINCE = NOW - timedelta(hours=10)


def sent(messages: int, traded: int = 0) -> Traffic:
    orders = messages // 2
    cancels = messages // 10
    return Traffic(
        since=SINCE,
        orders=orders,
        changes=messages - orders - cancels,
        cancels=cancels,
        executions=traded,
    )


@pytest.mark.parametrize(
    ("messages", "traded", "found"),
    [
        (0, 0, []),
        (199, 0, []),  # while they are few, the ratio means nothing
        (200, 0, [False]),
        (200, 9, [False]),  # 20
        (200, 10, [True]),  # 18.2
        (200, 19, [True]),  # 10
        (200, 20, []),
        (1000, 99, [True]),
        (2000, 99, [False]),
    ],
)
def test_many_messages_for_few_trades(messages: int, traded: int, found: list[bool]) -> None:
    world = view(traffic=sent(messages, traded))
    assert [one.is_warning for one in judge("order_efficiency", bracket(), world)] == found


def test_it_says_how_many_and_what_to_do() -> None:
    (breach,) = judge("order_efficiency", bracket(), view(traffic=sent(400, 15)))
    assert breach.message == (
        "Today 400 messages were sent (200 orders, 160 changes, 40 cancels) and 15 orders traded: "
        "25 for each, and IBKR calls more than 20 excessive; nothing is opened from 20 on."
    )
    assert (breach.limit, breach.actual) == ("20", "25")
    assert "midnight" in breach.hint
    (warning,) = judge("order_efficiency", bracket(), view(traffic=sent(400, 30)))
    assert "a warning is due from 10 on" in warning.message


def test_both_levels_are_limits() -> None:
    strict = limits(efficiency_warning=D(50), max_efficiency=D(5))
    (breach,) = judge("order_efficiency", bracket(), view(traffic=sent(300, 49), limits=strict))
    assert not breach.is_warning
    loose = limits(efficiency_warning=D(50), max_efficiency=D(60))
    assert judge("order_efficiency", bracket(), view(traffic=sent(300, 9), limits=loose)) == []


def test_nobody_counts_and_no_exit_is_held() -> None:
    assert judge("order_efficiency", bracket(), view()) == []
    wasteful = view(held(5), traffic=sent(1000))
    assert "order_efficiency" in reasons(review(bracket(), wasteful))
    assert reasons(review(submit(spec("SELL", 5)), wasteful)) == set()


def test_its_gauge_has_the_ratio_whatever_the_count() -> None:
    gauge = CHECKS["order_efficiency"].gauge
    assert gauge is not None
    (found,) = gauge(view(traffic=sent(20, 5)))
    assert (found.used, found.limit) == (D("3.3"), D(20))
    assert "it binds from 200 messages on" in found.note
    (found,) = gauge(view())
    assert (found.used, found.note[:22]) == (None, "messages to one trade:")
