from __future__ import annotations

import pytest

from ibkr_trader.core.enums import DataType
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import AgedQuote, FactMissing
from tests.risk.world import (
    D,
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


@pytest.mark.parametrize(
    ("have", "hits"),
    [
        (aged(), []),
        (aged(seconds=5), []),
        (aged(seconds=6), ["6 s"]),
        (aged(quote(data_type=DataType.DELAYED)), ["DELAYED"]),
        (aged(quote(data_type=DataType.FROZEN), seconds=9), ["9 s", "FROZEN"]),
    ],
)
def test_what_may_be_trusted(have: AgedQuote, hits: list[str]) -> None:
    found = judge("quote_fresh", bracket(), view(quotes={1: have}))
    assert [breach.actual for breach in found] == hits


def test_delayed_quotes_may_be_allowed() -> None:
    world = view(
        quotes={1: aged(quote(data_type=DataType.DELAYED))},
        limits=limits(allow_delayed_quotes=True),
    )
    assert judge("quote_fresh", bracket(), world) == []


def test_no_quote_opens_nothing_and_closes_all() -> None:
    blind = view(held(10), quotes={})
    with pytest.raises(FactMissing):
        judge("quote_fresh", bracket(), blind)
    assert reasons(review(submit(spec("SELL", 10)), blind)) == set()


def test_its_gauge_has_the_oldest_quote_of_what_is_held() -> None:
    gauge = CHECKS["quote_fresh"].gauge
    assert gauge is not None
    (found,) = gauge(view(held(10), quotes={1: aged(seconds=3)}))
    assert (found.used, found.limit, found.note) == (D(3), D(5), "the oldest of what is held")
    (found,) = gauge(view(held(10), quotes={}))
    assert (found.used, found.note) == (None, "1 held without a quote")


def test_a_price_that_stands_still_is_told_and_is_no_limit_that_is_used_up() -> None:
    gauge = CHECKS["quote_fresh"].gauge
    assert gauge is not None
    (at_the_limit,) = gauge(view(held(10), quotes={1: aged(seconds=5)}))
    assert at_the_limit.share == 1
    (older,) = gauge(view(held(10), quotes={1: aged(seconds=6)}))
    assert (older.share, older.limit) == (None, None)
    assert older.note.startswith("6 s of 5 s is the oldest of what is held; it is asked for anew")
