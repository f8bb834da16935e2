from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.rules.actions.trail import TrailStop
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, LetTrail
from tests.rules.moments import ATR, D, holding, moment, ranging


def behind(written: str) -> TrailStop:
    return TrailStop(behind=Distance.of(written))


def test_it_is_called_trail() -> None:
    assert ACTIONS["trail"] is TrailStop
    assert behind("2%").indicators == frozenset()
    assert behind("2atr").indicators == {ATR}


@pytest.mark.parametrize("quantity", [10, -10])
@pytest.mark.parametrize(
    ("written", "trail"),
    [("2%", Trail(percent=D(2))), ("1.50", Trail(amount=D("1.50"))), ("2atr", Trail(amount=D(4)))],
)
def test_the_stop_follows_from_now_on(quantity: int, written: str, trail: Trail) -> None:
    here = moment(held=quantity, study=ranging())
    assert behind(written).wishes(here) == (LetTrail(symbol="AAPL", trail=trail),)


def test_a_share_of_the_price_needs_no_price() -> None:
    assert behind("2%").wishes(moment(None, held=10))
    with pytest.raises(CannotWish, match="no price of AAPL"):
        behind("1.50").wishes(moment(None, held=10))


@pytest.mark.parametrize("held", [holding(0), holding(10, is_leaving=True)])
def test_without_a_position_nothing_follows(held: Any) -> None:
    assert behind("2%").wishes(moment(held=held)) == ()


def test_what_nobody_knows_to_be_held_does_not_follow() -> None:
    with pytest.raises(CannotWish, match="nobody knows what is held"):
        behind("2%").wishes(moment(held=holding(10, is_known=False)))


def test_there_is_no_risk_to_count_it_in() -> None:
    with pytest.raises(ValueError, match="cannot be counted in R"):
        behind("2R")
