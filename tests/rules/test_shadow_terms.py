from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import PriceBand
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Odds
from ibkr_trader.rules.shadow_terms import Purse, is_modelled, multiplier_of, shadow_terms, wish_of
from ibkr_trader.rules.wishes import LetTrail, StopTrading, Tell, Wish
from tests.rules.shadow_samples import D, add, decision, enter, leave, move, trail

PURSE = Purse(mark=D(100), equity=D(100_000))
ONE_PERCENT = FixedRisk(fraction=D("0.01"))


@pytest.mark.parametrize(
    "wish",
    [
        enter(),
        enter(Side.SELL, targets=(D(95), D(90)), limit=D(101)),
        enter(reverses=True),
        add(), add(7, limit=D("99.5")),
        leave(), leave(Side.SELL),
        move("97.25"),
        trail("2"), trail("2", activation=D(110), bands=(PriceBand(D(0), D("0.05")),)),
        LetTrail(symbol="AAPL", trail=Trail(percent=D("1.5"))),
    ],
)  # fmt: skip
def test_a_wish_can_be_read_back(wish: Wish) -> None:
    assert wish_of(decision(wish)) == wish


@pytest.mark.parametrize("wish", [Tell(message="m"), StopTrading(reason="r"), enter(stop=None)])
def test_what_moves_no_order_is_none(wish: Wish) -> None:
    assert wish_of(decision(wish)) is None


def test_the_multiplier_is_kept_where_it_is_not_one() -> None:
    assert multiplier_of(decision(enter())) == 1
    purse = Purse(mark=D(100), multiplier=D(100))
    assert multiplier_of(decision(enter(), purse=purse)) == 100


@pytest.mark.parametrize(
    ("size", "purse", "count", "why"),
    [
        (FixedQuantity(D(7)), PURSE, "7", "fixed at 7"),
        (ONE_PERCENT, PURSE, "200", "risks"),
        (FixedRisk(amount=D(50)), Purse(mark=D(100)), "10", "risks"),
        (ONE_PERCENT, Purse(mark=D(100), lot=D(3)), "3", "nobody knows the account's worth"),
        (AtrRisk(multiple=D(2), risk=ONE_PERCENT), PURSE, "200", "risks"),
        (Kelly(), PURSE, "1", "needs a record"),
        (Kelly(odds=Odds(win_rate=D("0.6"), payoff=D(2))), PURSE, "400", "Kelly"),
        (FixedRisk(amount=D(1)), PURSE, "0", "less than one lot"),
        (FixedQuantity(D(7)), Purse(), "0", "nobody knew a price"),
    ],
)
def test_how_many_it_would_be_and_why(size: Any, purse: Purse, count: str, why: str) -> None:
    terms = shadow_terms(enter(size=size), purse)
    assert terms["quantity"] == count
    assert why in terms["sized"]


@pytest.mark.parametrize("stop", ["100", "101"])
def test_a_stop_on_the_wrong_side_enters_nothing(stop: str) -> None:
    terms = shadow_terms(enter(stop=D(stop)), PURSE)
    assert (terms["quantity"], "wrong side" in terms["sized"]) == ("0", True)
    assert shadow_terms(enter(Side.SELL, stop=D(stop)), PURSE)["quantity"] == (
        "10" if stop == "101" else "0"
    )


def test_without_a_stop_it_is_not_modelled() -> None:
    terms = shadow_terms(enter(stop=None, size=AtrRisk(multiple=D(2), risk=ONE_PERCENT)), PURSE)
    assert terms["quantity"] == "0"
    assert terms["sized"].startswith("not modelled")


def test_a_limit_is_what_the_entry_is_sized_by() -> None:
    terms = shadow_terms(enter(size=ONE_PERCENT, limit=D(97)), PURSE)
    assert terms["quantity"] == "500"


def test_an_entry_that_is_not_modelled_is_told_from_all_that_is() -> None:
    ranges = enter(stop=None, size=AtrRisk(multiple=D(2), risk=ONE_PERCENT))
    assert not is_modelled(decision(ranges))
    assert not is_modelled(msgspec.structs.replace(decision(enter()), terms={}))
    assert all(is_modelled(decision(one)) for one in (enter(), add(), leave()))
