from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.rules.actions.adjust_stop import AdjustStop
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, MoveStop
from tests.rules.moments import ATR, D, holding, moment, ranging

COST = AdjustStop(to="cost")


def behind(written: str) -> AdjustStop:
    return AdjustStop(behind=Distance.of(written))


def level(
    one: AdjustStop, quantity: int = 10, *, last: str = "150", cost: str = "150", **more: Any
) -> Decimal | None:
    wishes = one.wishes(moment(last, held=holding(quantity, cost, **more), study=ranging()))
    assert all(wish == MoveStop(symbol="AAPL", level=wish.level) for wish in wishes)
    return wishes[0].level if wishes else None


def test_it_is_called_adjust_stop() -> None:
    assert ACTIONS["adjust_stop"] is AdjustStop
    assert COST.indicators == behind("2%").indicators == frozenset()
    assert behind("2atr").indicators == {ATR}


@pytest.mark.parametrize(
    ("written", "long", "short"),
    [("2%", "147", "153"), ("1.50", "148.5", "151.5"), ("2atr", "146", "154")],
)
def test_it_belongs_behind_the_market_on_either_side(written: str, long: str, short: str) -> None:
    assert level(behind(written), 10) == D(long)
    assert level(behind(written), -10) == D(short)


def test_it_may_be_as_near_as_it_is_said_and_the_price_one_of_cents() -> None:
    assert level(behind("0.01"), 10) == D("149.99")
    assert level(behind("0.01"), -10) == D("150.01")
    assert level(behind("0.30"), 10, last="0.50") == D("0.20")


def test_it_is_tightened_and_never_widened() -> None:
    assert level(behind("2%"), 10, stop="145") == 147
    assert level(behind("2%"), 10, stop="147") is None
    assert level(behind("2%"), 10, stop="148") is None
    assert level(behind("2%"), -10, stop="155") == 153
    assert level(behind("2%"), -10, stop="153") is None
    assert level(behind("2%"), -10, stop="152") is None


def test_a_step_that_is_worth_no_message_is_left_out() -> None:
    """On the exchange's grid a stop hardly ever stands exactly where it belongs."""
    assert level(behind("2%"), 10, stop="146.86") is None
    assert level(behind("2%"), 10, stop="146.85") == 147
    assert level(behind("2%"), -10, stop="153.15") is None
    assert level(behind("2%"), -10, stop="153.16") == 153


def test_to_the_cost_once_the_market_is_beyond_it() -> None:
    assert level(COST, 10, last="160", stop="145") == 150
    assert level(COST, -10, last="140", stop="155") == 150
    assert level(COST, 10, last="160", stop="149.99") is None


@pytest.mark.parametrize(
    ("quantity", "last"), [(10, "149"), (10, "150"), (-10, "151"), (-10, "150")]
)
def test_a_stop_past_the_market_would_trade_at_once(quantity: int, last: str) -> None:
    with pytest.raises(CannotWish, match=f"a stop at 150.00 is no stop with the market at {last}"):
        level(COST, quantity, last=last)


def test_a_stop_below_zero_is_none() -> None:
    with pytest.raises(CannotWish, match=r"a stop at -50.00 is no stop"):
        level(behind("200"))
    with pytest.raises(CannotWish, match=r"a stop at 0.00 is no stop"):
        level(COST, cost="0")


def test_without_a_position_there_is_nothing_to_move() -> None:
    assert level(behind("2%"), 0) is None
    assert level(behind("2%"), 10, is_leaving=True) is None
    with pytest.raises(CannotWish, match="nobody knows what is held"):
        level(behind("2%"), 10, is_known=False)


def test_without_a_price_nobody_knows_where_it_belongs() -> None:
    for one in (COST, behind("2%")):
        with pytest.raises(CannotWish, match="no price of AAPL"):
            one.wishes(moment(None, held=10))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "either behind"),
        ({"behind": Distance.of("2%"), "to": "cost"}, "either behind"),
        ({"behind": Distance.of("2R")}, "cannot be counted in R"),
    ],
)
def test_what_says_nothing_or_two_things_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        AdjustStop(**fields)


PRICES = st.decimals(min_value="0.01", max_value=500, places=2)


@given(
    st.sampled_from([10, -10]),
    PRICES,
    PRICES,
    st.none() | PRICES,
    st.sampled_from(["", "3%", "1", "2atr"]),
)
def test_it_is_always_nearer_and_always_on_its_own_side(
    quantity: int, last: Decimal, cost: Decimal, stop: Decimal | None, written: str
) -> None:
    one = behind(written) if written else COST
    try:
        found = level(one, quantity, last=str(last), cost=str(cost), stop=stop)
    except CannotWish:
        return
    if found is not None:
        sign = 1 if quantity > 0 else -1
        assert found > 0
        assert (last - found) * sign > 0
        assert stop is None or (found - stop) * sign > 0
