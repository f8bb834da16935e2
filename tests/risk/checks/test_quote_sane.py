from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from ibkr_trader.core.models import Quote
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


def leapt(jump: str) -> AgedQuote:
    return AgedQuote(quote(), timedelta(0), D(jump))


@pytest.mark.parametrize(
    ("have", "hits"),
    [
        (quote(), []),
        (quote("150", "150"), []),  # locked, not crossed
        (quote("150.02", "150.01"), ["150.02"]),
        (quote(None, "150.01"), ["none"]),
        (quote("150.01", None), ["none"]),
        (quote(None, None), ["none", "none"]),
        (quote("-1", "150.01"), ["-1"]),
        (quote("-1", "-1"), ["-1", "-1"]),
        (quote("0", "0"), ["0", "0"]),
        (quote("149.99", "-1"), ["-1"]),
        (quote("100", "100.10", last=D("110.11")), []),
        (quote("100", "100.10", last=D("110.12")), ["110.12"]),
        (quote("100", "100.10", last=D("90")), []),
        (quote("100", "100.10", last=D("89.99")), ["89.99"]),
    ],
)
def test_what_can_be_right(have: Quote, hits: list[str]) -> None:
    found = judge("quote_sane", bracket(), view(quotes={1: aged(have)}))
    assert [breach.actual for breach in found] == hits
    assert not any(breach.is_warning for breach in found)


@pytest.mark.parametrize(
    ("jump", "hits"), [("0.10", []), ("0.1001", ["10.01 %"]), ("9", ["900 %"])]
)
def test_a_leap_is_not_believed_at_once(jump: str, hits: list[str]) -> None:
    found = judge("quote_sane", bracket(), view(quotes={1: leapt(jump)}))
    assert [breach.actual for breach in found] == hits


def test_how_much_is_believed_is_a_limit() -> None:
    wide = limits(max_jump=D(1))
    odd = quote("100", "100.10", last=D(150))
    assert judge("quote_sane", bracket(), view(quotes={1: leapt("0.5")}, limits=wide)) == []
    assert judge("quote_sane", bracket(), view(quotes={1: aged(odd)}, limits=wide)) == []


def test_no_quote_opens_nothing_and_a_bad_one_holds_no_exit() -> None:
    with pytest.raises(FactMissing):
        judge("quote_sane", bracket(), view(quotes={}))
    world = view(held(10), quotes={1: aged(quote("-1", "-1"))})
    assert reasons(review(submit(spec("SELL", 10)), world)) == set()
    assert "quote_sane" in reasons(review(bracket(), world))


def test_its_words_name_the_side_and_what_to_do() -> None:
    (breach,) = judge("quote_sane", bracket(), view(quotes={1: aged(quote("-1", "150"))}))
    assert breach.message == "The quote of AAPL has no bid."
    assert breach.hint == "look again in some seconds: ibkr-trader quote AAPL"


def test_its_gauge_has_the_largest_leap_of_what_is_held() -> None:
    gauge = CHECKS["quote_sane"].gauge
    assert gauge is not None
    (found,) = gauge(view(held(10), quotes={1: leapt("0.02")}))
    assert (found.used, found.limit) == (D("0.02"), D("0.10"))
    (found,) = gauge(view(held(10), quotes={1: aged()}))
    assert found.used is None
    (found,) = gauge(msgspec.structs.replace(view(held(10)), quotes={}))
    assert found.used is None
