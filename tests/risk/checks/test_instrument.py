from __future__ import annotations

import pytest

from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import Contract
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.view import FactMissing
from tests.risk.world import (
    AAPL,
    D,
    aged,
    held,
    judge,
    limits,
    portfolio,
    quote,
    reasons,
    review,
    spec,
    submit,
    view,
)


@pytest.mark.parametrize(
    ("contract", "hit"),
    [
        (AAPL, ""),
        (Contract(symbol="AAPL", con_id=1, sec_type=SecType.OPTION), "OPT"),
        (Contract(symbol="AAPL", con_id=1, currency="EUR"), "EUR"),
    ],
)
def test_only_what_the_limits_are_for(contract: Contract, hit: str) -> None:
    found = judge("instrument", submit(spec(contract=contract)), view())
    assert [breach.actual for breach in found] == ([hit] if hit else [])


def test_the_currency_is_the_accounts_own_or_dollars_when_unstated() -> None:
    world = view(portfolio=portfolio(values=None))
    assert judge("instrument", submit(spec()), world) == []


def test_other_kinds_may_be_allowed() -> None:
    option = Contract(symbol="AAPL", con_id=1, sec_type=SecType.OPTION)
    world = view(limits=limits(sec_types=frozenset({SecType.OPTION})))
    assert judge("instrument", submit(spec(contract=option)), world) == []


@pytest.mark.parametrize(("bid", "ask", "count"), [("1.00", "1.01", 0), ("0.98", "0.99", 1)])
def test_penny_shares_are_not_opened(bid: str, ask: str, count: int) -> None:
    world = view(quotes={1: aged(quote(bid, ask, last=D(bid)))})
    assert len(judge("instrument", submit(spec()), world)) == count


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ({"allowed_symbols": frozenset({"AAPL"})}, ""),
        (
            {"allowed_symbols": frozenset({"TSLA", "MSFT"})},
            "AAPL is not among the symbols that may be opened: MSFT, TSLA.",
        ),
        ({"restricted_symbols": frozenset({"MSFT"})}, ""),
        ({"restricted_symbols": frozenset({"AAPL"})}, "AAPL is restricted: it is not opened here."),
        (
            {
                "allowed_symbols": frozenset({"AAPL"}),
                "restricted_symbols": frozenset({"AAPL"}),
            },
            "AAPL is restricted: it is not opened here.",
        ),
    ],
)
def test_symbols_may_be_named(lists: dict[str, frozenset[str]], words: str) -> None:
    world = view(limits=limits(**lists))
    found = judge("instrument", submit(spec()), world)
    assert [breach.message for breach in found] == ([words] if words else [])
    assert all(breach.actual == "AAPL" and breach.limit and breach.hint for breach in found)
    held_on = view(held(10), limits=limits(**lists))
    assert reasons(review(submit(spec("SELL", 10)), held_on)) == set()


def test_its_gauge_says_what_may_be_opened() -> None:
    gauge = CHECKS["instrument"].gauge
    assert gauge is not None
    both = limits(
        allowed_symbols=frozenset({"MSFT", "AAPL"}), restricted_symbols=frozenset({"GME"})
    )
    assert [one.note for one in gauge(view())] == ["may be opened: STK from 1.00 up"]
    assert [one.note for one in gauge(view(limits=both))] == [
        "may be opened: STK from 1.00 up; only AAPL, MSFT; not GME"
    ]


def test_without_any_price_the_other_checks_speak() -> None:
    assert judge("instrument", submit(spec()), view(quotes={1: aged(quote(None, None))})) == []
    with pytest.raises(FactMissing):
        judge("instrument", submit(spec()), view(quotes={}))


def test_what_is_held_may_always_be_closed() -> None:
    penny = view(held(10), quotes={1: aged(quote("0.10", "0.11"))})
    assert reasons(review(submit(spec("SELL", 10)), penny)) == set()
