from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Quote
from ibkr_trader.rules.fill_model import FillModel, at_limit, at_market, at_stop, flow
from tests.rules.shadow_samples import AAPL, NOON, D, bar, quote

MODEL = FillModel()
BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("quantity", "price", "fee"),
    [("10", "100", "1"), ("1000", "100", "5"), ("1", "20", "0.2"), ("100000", "0.01", "10")],
)
def test_an_order_costs_a_least_a_share_and_a_most(quantity: str, price: str, fee: str) -> None:
    assert MODEL.fee(D(quantity), D(price), multiplier=D(1)) == D(fee)


def test_an_option_is_worth_its_multiplier_where_the_fee_is_limited() -> None:
    assert MODEL.fee(D(1), D("0.5"), multiplier=D(100)) == D("0.5")


def test_what_slips_is_worse_for_whoever_trades() -> None:
    assert MODEL.slipped(D(100), BUY) == D("100.02")
    assert MODEL.slipped(D(100), SELL) == D("99.98")
    assert MODEL.slipped(D("33.33333"), BUY) == D("33.3400")
    assert MODEL.slipped(D("33.33333"), SELL) == D("33.3266")


def test_a_quote_is_met_at_its_far_side() -> None:
    look = MODEL.of_quote(quote("99", "101"), NOON)
    assert look is not None
    assert (at_market(look, BUY), at_market(look, SELL)) == (D(101), D(99))
    assert (look.first, look.high, look.low) == (D(100), D(100), D(100))


@pytest.mark.parametrize("sides", [{}, {"bid": D(99)}, {"bid": D(103), "ask": D(101)}])
def test_where_nobody_quotes_both_sides_the_last_price_slips(sides: dict[str, Any]) -> None:
    look = MODEL.of_quote(Quote(contract=AAPL, at=NOON, last=D(100), **sides), NOON)
    assert look is not None
    assert (look.ask, look.bid) == (D("100.02"), D("99.98"))


@pytest.mark.parametrize(
    "one",
    [Quote(contract=AAPL, at=NOON), quote("99", "101", halted=True)],
)
def test_an_empty_or_a_halted_market_meets_nobody(one: Quote) -> None:
    assert MODEL.of_quote(one, NOON) is None


def test_a_market_order_meets_a_bar_at_its_open() -> None:
    look = MODEL.of_bar(bar("100", "103", "98", "102"))
    assert (at_market(look, BUY), at_market(look, SELL)) == (D("100.02"), D("99.98"))


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (BUY, "99", "99"), (BUY, "98", "98"), (BUY, "97.99", None), (BUY, "101", "100.02"),
        (SELL, "102", "102"), (SELL, "103", "103"), (SELL, "103.01", None), (SELL, "99", "99.98"),
    ],
)  # fmt: skip
def test_a_limit_trades_at_its_limit_or_better(side: Side, limit: str, price: str | None) -> None:
    look = MODEL.of_bar(bar("100", "103", "98", "102"))
    assert at_limit(look, side, D(limit)) == (None if price is None else D(price))


@pytest.mark.parametrize(
    ("side", "trigger", "price"),
    [
        (SELL, "99", "99"), (SELL, "98", "98"), (SELL, "97.99", None),
        (SELL, "100", "99.98"), (SELL, "101", "99.98"),  # opened beyond it: the gap
        (BUY, "102", "102"), (BUY, "103", "103"), (BUY, "103.01", None),
        (BUY, "100", "100.02"), (BUY, "99", "100.02"),
    ],
)  # fmt: skip
def test_a_stop_trades_at_its_trigger_or_worse(side: Side, trigger: str, price: str | None) -> None:
    look = MODEL.of_bar(bar("100", "103", "98", "102"))
    assert at_stop(look, side, D(trigger)) == (None if price is None else D(price))


def test_a_stop_on_a_quote_is_touched_by_what_one_is_worth_not_by_a_wide_bid() -> None:
    wide = MODEL.of_quote(quote("90", "101", last="100"), NOON)
    assert wide is not None
    assert at_stop(wide, SELL, D(95)) is None
    through = MODEL.of_quote(quote("90", "101", last="94"), NOON)
    assert through is not None
    assert at_stop(through, SELL, D(95)) == D(90)


def test_money_goes_out_for_what_is_bought() -> None:
    assert flow(BUY, D(2), D(10), multiplier=D(100)) == D(-2000)
    assert flow(SELL, D(2), D(10), multiplier=D(100)) == D(2000)
