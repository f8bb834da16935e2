from __future__ import annotations

import pytest

from ibkr_trader.core.models import AccountValues, Contract, Order, Position
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    ACCOUNT,
    MSFT,
    D,
    aged,
    bracket,
    held,
    judge,
    limit,
    limits,
    portfolio,
    quote,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)


def worth(*parts: Order | Position, equity: int | str, **changes: object) -> RiskView:
    values = AccountValues(account=ACCOUNT, net_liquidation=D(equity), available_funds=D(1_000_000))
    return view(portfolio=portfolio(*parts, values=values), **changes)


WIDE = limits(max_symbol_share=D(1))


@pytest.mark.parametrize(
    ("equity", "denied"), [(15_001, False), (15_000, True), (0, True), (-5, True)]
)
def test_a_symbol_has_a_tenth_of_the_account(equity: int, *, denied: bool) -> None:
    found = judge("worst_case_exposure", submit(spec("BUY", 10)), worth(equity=equity))
    assert bool(found) is denied
    if equity == 15_000:
        assert found[0].message == (
            "AAPL could come to 1,500.10, should every working order fill; "
            "the limit is 1,500.00 (10 % of net liquidation)."
        )


@pytest.mark.parametrize(("equity", "denied"), [(7_501, False), (7_500, True)])
def test_all_together_have_the_whole_of_it(equity: int, *, denied: bool) -> None:
    parts: list[Order | Position] = [
        held(-10, MSFT, "300"),
        working(limit("BUY", 20, "150", "t-0-single")),
    ]
    world = worth(*parts, equity=equity, limits=WIDE)  # 3,000 short, 20 + 10 AAPL at 150.01
    found = judge("worst_case_exposure", submit(spec("BUY", 10)), world)
    assert bool(found) is denied
    if denied:
        assert found[0].actual == "7500.3"


@pytest.mark.parametrize(("equity", "denied"), [(4_501, False), (4_500, True)])
def test_a_market_order_in_flight_elsewhere_counts_at_its_quote(
    equity: int, *, denied: bool
) -> None:
    flying = working(spec("SELL", 10, "t-0-single", contract=MSFT))
    world = worth(flying, equity=equity, limits=WIDE)  # 10 x 300 and 10 x 150.01
    assert bool(judge("worst_case_exposure", submit(spec("BUY", 10)), world)) is denied


@pytest.mark.parametrize("quotes", [{1: aged()}, {1: aged(), 2: aged(quote(None, None, MSFT))}])
def test_one_without_any_price_denies_the_opening(quotes: object) -> None:
    flying = working(spec("SELL", 10, "t-0-single", contract=MSFT))
    with pytest.raises(FactMissing, match="t-0-single"):
        judge("worst_case_exposure", submit(spec()), worth(flying, equity=10**6, quotes=quotes))


def test_an_account_without_a_value_opens_nothing_and_closes_all() -> None:
    blind = view(portfolio=portfolio(held(10), values=None))
    assert reasons(review(bracket(), blind)) == {"knowledge"}
    assert reasons(review(submit(spec("SELL", 10)), blind)) == set()
    assert judge("worst_case_exposure", submit(spec("SELL", 10)), blind) == []


def test_a_limit_may_be_reached_exactly() -> None:
    # 10 x 150.01 = 1,500.10, on an account of as much, and of ten times as much
    all_of_it = limits(max_symbol_share=D(2), max_gross_exposure=D(1))
    for world in (
        worth(equity="1500.10", limits=all_of_it),
        worth(equity="15001.00"),
    ):
        assert judge("worst_case_exposure", submit(spec("BUY", 10)), world) == []


ROOM = {"max_symbol_share": D(1), "max_gross_exposure": D(2)}


@pytest.mark.parametrize(
    ("share", "denied"), [("0.15001", False), ("0.15", True), ("0.000001", True)]
)
def test_longs_less_shorts_have_a_limit_of_their_own(share: str, *, denied: bool) -> None:
    world = worth(equity=10_000, limits=limits(**ROOM, max_net_exposure=D(share)))
    found = judge("worst_case_exposure", submit(spec("BUY", 10)), world)  # 1,500.10 net
    assert bool(found) is denied
    if share == "0.15":
        assert found[0].message == (
            "Longs less shorts could come to 1,500.10, should every working order fill; "
            "the limit is 1,500.00 (15 % of net liquidation)."
        )


def test_a_hedge_makes_room() -> None:
    """8,000 short of MSFT leave room for AAPL that would not be there without."""
    narrow = limits(**ROOM, max_net_exposure=D("0.90"))
    hedge = held(-20, MSFT, "300")  # 6,000 short
    buy = submit(limit("BUY", 90, "150.01"))  # 13,500.90 long
    assert len(judge("worst_case_exposure", buy, worth(equity=14_000, limits=narrow))) == 1
    assert judge("worst_case_exposure", buy, worth(hedge, equity=14_000, limits=narrow)) == []


# -- its gauge -------------------------------------------------------------------------------


def read(world: RiskView) -> list[Gauge]:
    gauge = CHECKS["worst_case_exposure"].gauge
    assert gauge is not None
    return list(gauge(world))


def test_its_gauge_has_each_symbol_the_whole_and_the_net() -> None:
    world = worth(
        held(-10, MSFT, "300"), working(limit("BUY", 20, "150", "t-0-single")), equity=100_000
    )
    assert [(one.subject, one.limit, one.used, one.unit) for one in read(world)] == [
        ("AAPL", D(10_000), D(3_000), Unit.MONEY),
        ("MSFT", D(10_000), D(3_000), Unit.MONEY),
        ("gross", D(100_000), D(6_000), Unit.MONEY),
        ("net", D(100_000), D(3_000), Unit.MONEY),
    ]
    assert read(world)[0].note == "10 % of net liquidation"


def test_its_gauge_where_something_is_not_known() -> None:
    flying = working(spec("SELL", 10, "t-0-single", contract=MSFT))
    blind = worth(held(1), flying, equity=100_000, quotes={1: aged()})
    assert {one.subject: one.used for one in read(blind)} == {
        "AAPL": 150, "MSFT": None, "gross": None, "net": None
    }  # fmt: skip
    unstated = view(portfolio=portfolio(held(1), values=None))
    assert {one.limit for one in read(unstated)} == {None}
    assert [one.used for one in read(unstated)] == [150, 150, 150]


def test_contracts_of_one_symbol_add_up_in_its_gauge() -> None:
    other = Contract(symbol="AAPL", con_id=9, currency="EUR")
    world = worth(held(1), held(2, other, "100"), equity=100_000)
    assert read(world)[0].used == 350
    flying = working(spec("BUY", 1, "t-0-single", contract=other))
    none_known = worth(held(1), flying, equity=100_000)
    assert read(none_known)[0].used is None
