from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.core.enums import OrderStatus, OrderType
from ibkr_trader.core.models import OrderSpec
from ibkr_trader.risk.history import History, Submission
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    MSFT,
    NOW,
    D,
    held,
    judge,
    limit,
    modify,
    portfolio,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)

FIRST = limit("BUY", 10, "149", "t-0-single")


def after(seconds: float, *sent: OrderSpec, **changes: object) -> RiskView:
    when = NOW - timedelta(seconds=seconds)
    history = History(submissions=tuple(Submission(when, one) for one in sent or (FIRST,)))
    return view(history=history, **changes)


@pytest.mark.parametrize(
    ("seconds", "denied"), [(0, True), (9.9, True), (10, False), (-1, True), (-3, False)]
)
def test_within_ten_seconds(seconds: float, *, denied: bool) -> None:
    found = judge("duplicate", submit(limit("BUY", 10, "149")), after(seconds))
    assert bool(found) is denied


@pytest.mark.parametrize(
    "other",
    [
        limit("BUY", 11, "149"),
        limit("BUY", 10, "149.01"),
        limit("SELL", 10, "149"),
        limit("BUY", 10, "149", contract=MSFT),
        spec("BUY", 10),
        spec("BUY", 10, order_type=OrderType.STOP, stop_price="149"),
    ],
)
def test_any_difference_makes_another_order(other: OrderSpec) -> None:
    assert judge("duplicate", submit(other), after(1)) == []


def test_trails_are_compared_too() -> None:
    trail = {"order_type": OrderType.TRAIL}
    first = spec("BUY", 10, "t-0-single", trail_percent="2", **trail)
    world = after(1, first)
    assert judge("duplicate", submit(spec("BUY", 10, trail_percent="2", **trail)), world)
    assert not judge("duplicate", submit(spec("BUY", 10, trail_percent="3", **trail)), world)
    assert not judge("duplicate", submit(spec("BUY", 10, trail_amount="2", **trail)), world)


def test_the_message_says_which_and_how_long() -> None:
    (breach,) = judge("duplicate", submit(limit("BUY", 10, "149")), after(3, FIRST, FIRST))
    assert breach.message == "BUY 10 AAPL repeats order t-0-single, sent 3 s ago."
    assert breach.hint == "if you mean it, wait 7 s"


@pytest.mark.parametrize(
    ("status", "filled", "denied"),
    [
        (OrderStatus.REJECTED, 0, False),
        (OrderStatus.CANCELLED, 0, False),
        (OrderStatus.CANCELLED, 3, True),
        (OrderStatus.FILLED, 10, True),
        (OrderStatus.SUBMITTED, 0, True),
        (OrderStatus.UNKNOWN, 0, True),
    ],
)
def test_what_came_to_nothing_may_be_repeated(
    status: OrderStatus, filled: int, *, denied: bool
) -> None:
    sent = working(FIRST, status, filled=filled)
    book = portfolio(past=(sent,)) if status.is_closed else portfolio(sent)
    found = judge("duplicate", submit(limit("BUY", 10, "149")), after(1, portfolio=book))
    assert bool(found) is denied


def test_a_fill_claimed_by_status_alone_counts() -> None:
    sent = working(FIRST, OrderStatus.CANCELLED, reported_filled=D(1))
    world = after(1, portfolio=portfolio(past=(sent,)))
    assert judge("duplicate", submit(limit("BUY", 10, "149")), world)


def test_changes_and_closes_are_not_asked() -> None:
    order = working(limit("BUY", 9, "148"))
    history = History(submissions=(Submission(NOW, spec("BUY", 10)),))
    world = view(order, history=history)
    assert judge("duplicate", modify(order, quantity=10, limit_price="149"), world) == []
    twice = History(submissions=(Submission(NOW, spec("SELL", 5, "t-0-single")),))
    assert reasons(review(submit(spec("SELL", 5)), view(held(10), history=twice))) == set()


def test_a_preview_mentions_a_repetition() -> None:
    assert judge("duplicate", submit(limit("BUY", 10, "149")), after(1, is_preview=True))
