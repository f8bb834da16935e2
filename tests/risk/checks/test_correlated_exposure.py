"""What moves together is capped together; a hedge lowers it, and nothing unknown does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import Contract, Order, OrderSpec, Position
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.correlated import CorrelatedIndex
from ibkr_trader.risk.correlation import CorrelationMatrix
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.limits import Stale, SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.limits import roomy
from tests.risk.world import (
    AAPL,
    MSFT,
    NOW,
    D,
    aged,
    bracket,
    details,
    figures,
    held,
    judge,
    limit,
    limits,
    quote,
    spec,
    submit,
    view,
    working,
)

NAME = "correlated_exposure"
GLD = Contract(symbol="GLD", con_id=3)
SH = Contract(symbol="SH", con_id=4)  # moves against the rest
NEW = Contract(symbol="NEW", con_id=5)  # nothing is known of it
PAIRS = {
    ("AAPL", "MSFT"): 0.8,
    ("AAPL", "GLD"): 0.1,
    ("AAPL", "SH"): -0.9,
    ("GLD", "MSFT"): 0.2,
    ("GLD", "SH"): -0.1,
    ("MSFT", "SH"): -0.85,
}
MATRIX = CorrelationMatrix(
    computed_at=NOW, lookback=60, symbols=("AAPL", "GLD", "MSFT", "SH"), coefficients=PAIRS
)
QUOTES = {
    1: aged(),
    2: aged(quote("299.98", "300.02", MSFT)),
    3: aged(quote("199.99", "200.01", GLD)),
    4: aged(quote("49.99", "50.01", SH)),
    5: aged(quote("9.99", "10.01", NEW)),
}


def world(*parts: Order | Position, **changes: Any) -> RiskView:
    """A million, of which 30 % may move together."""
    facts: dict[str, Any] = {
        "correlations": MATRIX,
        "quotes": QUOTES,
        "details": {n: details(c) for n, c in enumerate((AAPL, MSFT, GLD, SH, NEW), start=1)},
        "limits": limits(),
    }
    return view(*parts, **(facts | changes))


def ask(order: OrderSpec, desk: RiskView) -> list[Breach]:
    return judge(NAME, submit(order), desk)


def old(days: int, **changes: Any) -> dict[str, Any]:
    matrix = msgspec.structs.replace(MATRIX, computed_at=NOW - timedelta(days=days))
    return {"correlations": matrix, "limits": limits(**changes)}


def test_correlation_risk_rejection() -> None:
    desk = world(held(900, MSFT, cost="300"))  # 270,000 of 300,000
    assert ask(limit("BUY", 199, "150"), desk) == []
    (breach,) = ask(limit("BUY", 200, "150"), desk)  # at 150.01, where the market is
    assert breach.message == (
        "AAPL and what moves with it (MSFT 0.80) could come to 300,002.00, should every working "
        "order fill; the limit is 300,000.00 (30 % of net liquidation)."
    )
    assert (breach.limit, breach.is_warning) == ("300000", False)
    assert breach.hint == "use a smaller --quantity, or close or cancel something first"
    guard = RiskGuard(checks=(NAME,))
    assert isinstance(guard.review(submit(limit("BUY", 199, "150")), desk), Approved)
    denied = guard.review(submit(limit("BUY", 200, "150")), desk)
    assert isinstance(denied, Denied)
    assert [one.check for one in denied.breaches] == [NAME]


def test_what_does_not_move_with_it_does_not_count() -> None:
    assert ask(limit("BUY", 1400, "200", contract=GLD), world(held(900, MSFT, cost="300"))) == []


@pytest.mark.parametrize(
    ("parts", "order", "is_denied"),
    [
        # A short in what moves alike is a hedge, and so is a long in what moves against it.
        ([held(900, MSFT, cost="300"), held(-200, cost="150")], limit("BUY", 390, "150"), False),
        ([held(900, MSFT, cost="300"), held(-200, cost="150")], limit("BUY", 401, "150"), True),
        ([held(900, MSFT, cost="300"), held(600, SH, "50")], limit("BUY", 399, "150"), False),
        ([held(900, MSFT, cost="300"), held(600, SH, "50")], limit("BUY", 401, "150"), True),
        # A hedge that only works may never fill.
        (
            [
                held(900, MSFT, cost="300"),
                working(limit("SELL", 200, "150", "t-8-single")),
            ],
            limit("BUY", 201, "150"),
            True,
        ),
        # To add a hedge is allowed over the limit, up to the limit on the other side.
        ([held(1100, MSFT, cost="300")], limit("SELL", 100, "150"), False),
        ([held(1100, MSFT, cost="300")], limit("SELL", 4300, "150"), False),
        ([held(1100, MSFT, cost="300")], limit("SELL", 4500, "150"), True),
        ([held(1100, MSFT, cost="300")], limit("BUY", 1, "150"), True),
        ([held(-1100, MSFT, cost="300")], limit("SELL", 1, "150"), True),
        ([held(-1100, MSFT, cost="300")], limit("BUY", 100, "50", contract=SH), True),
        # Working and unknown orders count as if they had filled.
        (
            [working(limit("BUY", 900, "300", "t-8-single", contract=MSFT))],
            limit("BUY", 201, "150"),
            True,
        ),
    ],
)
def test_the_worst_case_counts_with_its_sign(
    parts: list[Any], order: OrderSpec, is_denied: bool
) -> None:
    assert bool(ask(order, world(*parts))) is is_denied


def test_an_order_without_a_price_counts_at_the_market() -> None:
    waiting = working(spec("BUY", 900, "t-8-single", contract=MSFT))
    assert ask(limit("BUY", 199, "149"), world(waiting)) == []
    assert ask(limit("BUY", 201, "151"), world(waiting)) != []
    quotes = {key: value for key, value in QUOTES.items() if key != 2}
    with pytest.raises(FactMissing, match="Nobody knows yet what t-8-single may cost"):
        ask(limit("BUY", 1, "150"), world(waiting, quotes=quotes))


def test_closing_and_tightening_are_not_asked() -> None:
    desk = world(held(2000, MSFT, cost="300"))
    assert ask(spec("SELL", 2000, contract=MSFT), desk) == []


def test_a_bracket_with_its_exits() -> None:
    desk = world(held(900, MSFT, cost="300"))
    entry = limit("BUY", 190, "150", "t-1-entry")
    assert judge(NAME, bracket(190, entry=entry), desk) == []
    entry = limit("BUY", 201, "150", "t-1-entry")
    assert judge(NAME, bracket(201, entry=entry), desk) != []


@pytest.mark.parametrize(
    ("own", "default", "is_denied"),
    [("2000", None, True), ("4000", None, False), (None, "2000", True), ("4000", "2000", False)],
)
def test_a_symbol_may_have_a_tighter_limit(
    own: str | None, default: str | None, is_denied: bool
) -> None:
    symbols = {"AAPL": SymbolLimits(symbol="AAPL", max_correlation_exposure=D(own))} if own else {}
    rest = SymbolLimits(symbol="*", max_correlation_exposure=D(default) if default else None)
    registry = SymbolLimitRegistry(symbols=symbols, default=rest)
    found = ask(limit("BUY", 20, "150"), world(symbol_limits=registry))
    assert bool(found) is is_denied
    if found:
        assert "(of AAPL itself)" in found[0].message
        assert found[0].message.startswith("AAPL could come to 3,000")


def test_the_limit_of_a_neighbour_counts_too() -> None:
    symbols = {"MSFT": SymbolLimits(symbol="MSFT", max_correlation_exposure=D(10_000))}
    registry = SymbolLimitRegistry(symbols=symbols)
    desk = world(held(20, MSFT, cost="300"), symbol_limits=registry)
    assert ask(limit("BUY", 26, "150"), desk) == []
    (breach,) = ask(limit("BUY", 27, "150"), desk)
    assert breach.message.startswith("MSFT and what moves with it (AAPL 0.80) could come to 10,05")
    assert ask(limit("BUY", 27, "200", contract=GLD), desk) == []


# -- without reliable coefficients -----------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"correlations": None}, "nobody has computed correlations yet"),
        (old(6), "the correlations are 6 days old, and count for 5 days"),
        (old(-6), "the correlations are -6 days old, and count for 5 days"),
    ],
)
def test_without_fresh_ones_everything_moves_together_and_nothing_is_a_hedge(
    facts: dict[str, Any], why: str
) -> None:
    shown = f"{why[0].upper()}{why[1:]}, so everything is taken to move together."
    desk = world(held(1000, GLD, "200"), held(-100, MSFT, "300"), **facts)
    (warning,) = ask(limit("BUY", 400, "150"), desk)
    assert (warning.is_warning, warning.message) == (True, shown)
    assert warning.hint == "ibkr-trader update-correlations"
    (_, breach) = ask(limit("BUY", 500, "150"), desk)
    assert breach.message.startswith("Everything together could come to 305,0")
    assert why in breach.message
    assert breach.hint == "ibkr-trader update-correlations"
    verdict = RiskGuard(checks=(NAME,)).review(submit(limit("BUY", 400, "150")), desk)
    assert isinstance(verdict, Approved)
    assert verdict.warnings == (warning,)


def test_alone_there_is_nothing_to_say() -> None:
    assert ask(limit("BUY", 100, "150"), world(held(10), correlations=None)) == []
    assert ask(limit("BUY", 100, "10", contract=NEW), world(held(10, NEW, "10"))) == []


def test_a_day_is_a_day() -> None:
    facts = old(2, correlation_ttl=timedelta(days=1))
    (warning,) = ask(limit("BUY", 1, "150"), world(held(1, GLD, "200"), **facts))
    assert "are 2 days old, and count for 1 day, so" in warning.message


def test_old_ones_may_go_on() -> None:
    desk = world(held(900, MSFT, "300"), **old(9, stale_correlation=Stale.WARN))
    (warning,) = ask(limit("BUY", 100, "150"), desk)
    assert warning.message == (
        "The correlations are 9 days old, and count for 5 days; they are used all the same."
    )
    found = ask(limit("BUY", 201, "150"), desk)
    assert [one.is_warning for one in found] == [True, False]
    assert "9 days old" in found[1].message


def test_without_any_each_may_stand_alone() -> None:
    desk = world(
        held(900, MSFT, "300"), correlations=None, limits=limits(stale_correlation=Stale.WARN)
    )
    (warning,) = ask(limit("BUY", 1900, "150"), desk)
    assert warning.message == "Nobody has computed correlations yet, so nothing is added up."
    (_, breach) = ask(limit("BUY", 2001, "150"), desk)
    assert breach.message.startswith("AAPL could come to 300,1")


@pytest.mark.parametrize("facts", [{"correlations": None}, old(6)])
def test_or_nothing_is_opened(facts: dict[str, Any]) -> None:
    facts = facts | {"limits": limits(stale_correlation=Stale.DENY)}
    (breach,) = ask(limit("BUY", 1, "150"), world(**facts))
    assert breach.message.startswith("Nothing is opened: ")
    assert breach.hint == "ibkr-trader update-correlations"


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        (Stale.ASSUME_ONE, "they are taken to move with everything else."),
        (Stale.WARN, "they are taken to move with nothing else."),
    ],
)
def test_a_symbol_that_nobody_asked_about(mode: Stale, shown: str) -> None:
    desk = world(
        held(1000, GLD, "200"), held(1_000, NEW, "10"), limits=limits(stale_correlation=mode)
    )
    (warning,) = ask(limit("BUY", 1, "150"), desk)
    assert warning.message == f"There are no correlations of NEW: {shown}"
    assert warning.hint == "ibkr-trader update-correlations --add NEW"
    # NEW joins every cluster, on either side, or none.
    found = ask(limit("SELL", 1_950, "150"), desk)
    assert [one.is_warning for one in found] == [True] + [False] * (mode is Stale.ASSUME_ONE)
    found = ask(limit("BUY", 9_500, "10", contract=NEW), desk)
    assert [one.is_warning for one in found] == [True] + [False] * (mode is Stale.ASSUME_ONE)
    found = ask(limit("BUY", 29_500, "10", contract=NEW), desk)
    assert found[-1].is_warning is False


def test_or_it_keeps_everything_shut() -> None:
    desk = world(limits=limits(stale_correlation=Stale.DENY))
    assert ask(limit("BUY", 1, "150"), desk) == []
    (breach,) = ask(limit("BUY", 1, "10", contract=NEW), desk)
    assert breach.message == "Nothing is opened: there are no correlations of NEW."
    assert breach.hint == "ibkr-trader update-correlations --add NEW"
    desk = world(held(1, NEW, "10"), limits=limits(stale_correlation=Stale.DENY))
    assert ask(limit("BUY", 1, "150"), desk)[0].is_warning is False


def test_many_names_are_not_all_named() -> None:
    others = [Contract(symbol=f"N{n}", con_id=10 + n) for n in range(7)]
    desk = world(*(held(1, one, "10") for one in others))
    (warning,) = ask(limit("BUY", 1, "150"), desk)
    assert "of N0, N1, N2, N3, N4 and 2 more: " in warning.message
    assert warning.hint.endswith("--add N0,N1,N2,N3,N4,N5,N6")


def test_the_views_own_index_is_used_only_if_it_is_of_the_view() -> None:
    desk = world(held(1900, contract=MSFT, cost="100"))
    stranger = CorrelatedIndex().follow(
        world().exposure, matrix=MATRIX, threshold=D("0.7"), sectors={}
    )
    desk = msgspec.structs.replace(desk, correlated=stranger)
    assert ask(limit("BUY", 800, "150"), desk) != []


# -- gauges ----------------------------------------------------------------------------------


def gauges(desk: RiskView) -> list[Gauge]:
    gauge = CHECKS[NAME].gauge
    assert gauge is not None
    return list(gauge(desk))


def test_the_gauge_shows_each_cluster() -> None:
    symbols = {"MSFT": SymbolLimits(symbol="MSFT", max_correlation_exposure=D(50_000))}
    desk = world(
        held(100, MSFT, "300"),
        held(-100, cost="150"),
        held(100, GLD, "200"),
        held(10, NEW, "10"),
        symbol_limits=SymbolLimitRegistry(symbols=symbols),
        limits=roomy(stale_correlation=Stale.WARN, max_correlated_share=D("0.3")),
    )
    found = {one.subject: one for one in gauges(desk)}
    assert {name: one.used for name, one in found.items()} == {
        "AAPL": 15_000,
        "MSFT": 15_000,
        "GLD": 20_000,
        "NEW": 100,
    }
    assert (found["MSFT"].limit, found["AAPL"].limit) == figures(50_000, 300_000)
    assert (found["AAPL"].note, found["GLD"].note) == ("with MSFT 0.80", "")
    assert found["AAPL"].unit is Unit.MONEY


def test_the_gauge_says_what_is_assumed() -> None:
    (one,) = gauges(world(held(10), held(-10, MSFT, "300"), correlations=None))
    assert (one.used, one.limit) == figures(4_500, 300_000)
    assert one.note.startswith("nobody has computed correlations yet, so everything is taken")
    (one,) = gauges(world())
    assert (one.used, one.note) == (D(0), "")
    (one,) = gauges(world(correlations=None, limits=limits(stale_correlation=Stale.DENY)))
    assert one.limit is None
    assert "nothing is opened" in one.note


def test_other_money_is_in_no_sum() -> None:
    yen = Contract(symbol="7203", con_id=7, currency="JPY")
    with pytest.raises(FactMissing) as missing:
        judge(NAME, submit(limit("BUY", 1, "150")), world(held(1, yen, "3000")))
    assert (missing.value.about, missing.value.message) == (
        NAME,
        "Nobody knows what everything comes to in USD: 7203 (nothing here converts JPY).",
    )
    with pytest.raises(FactMissing):  # held or only asked for
        judge(NAME, submit(limit("BUY", 1, "3000", contract=yen)), world())
    gauge = CHECKS[NAME].gauge
    assert gauge is not None
    first, *_ = gauge(world(held(1, yen, "3000")))
    assert first.note == "not in it: 7203 (nothing here converts JPY)"
