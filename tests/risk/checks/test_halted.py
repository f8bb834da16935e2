from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    NOW,
    aged,
    bracket,
    held,
    judge,
    limits,
    quote,
    reasons,
    review,
    spec,
    submit,
    view,
)

HALT = {1: aged(quote(halted=True))}


def test_a_halted_market_opens_nothing() -> None:
    (breach,) = judge("halted", bracket(), view(quotes=HALT))
    assert breach.message == "Trading in AAPL is halted."
    assert judge("halted", bracket(), view()) == []


@pytest.mark.parametrize(
    ("ago", "left"), [(0, "300 s"), (299, "1 s"), (300, ""), (301, ""), (-10, "290 s"), (-301, "")]
)
def test_nor_does_one_that_was_halted_a_moment_ago(ago: int, left: str) -> None:
    world = view(unhalted={1: NOW - timedelta(seconds=ago)})
    found = judge("halted", bracket(), world)
    assert [breach.hint for breach in found] == ([f"try again in {left}"] if left else [])


def test_how_long_is_a_limit_and_another_contract_is_no_concern() -> None:
    short = limits(halt_pause=timedelta(seconds=10))
    world = view(unhalted={1: NOW - timedelta(seconds=9)}, limits=short)
    (breach,) = judge("halted", bracket(), world)
    assert (breach.limit, breach.actual) == ("10 s", "9 s")
    assert judge("halted", bracket(), view(unhalted={2: NOW})) == []


def test_no_quote_opens_nothing_and_a_halt_holds_no_exit() -> None:
    with pytest.raises(FactMissing):
        judge("halted", bracket(), view(quotes={}))
    assert reasons(review(submit(spec("SELL", 10)), view(held(10), quotes=HALT))) == set()


def test_its_gauge_names_what_is_halted_or_was() -> None:
    gauge = CHECKS["halted"].gauge
    assert gauge is not None
    assert [found.note for found in gauge(view(quotes={}))] == ["no exchange has halted anything"]
    world = view(quotes=HALT, unhalted={2: NOW - timedelta(seconds=60)})
    assert [(found.subject, found.note) for found in gauge(world)] == [
        ("AAPL", "halted"),
        ("MSFT", "was halted: 240 s to go"),
    ]
