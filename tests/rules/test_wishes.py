from __future__ import annotations

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import FixedQuantity
from ibkr_trader.rules import wishes
from ibkr_trader.rules.wishes import CannotWish, Wish, traded
from tests.rules.moments import D


@pytest.mark.parametrize(
    ("wish", "symbol"),
    [
        (wishes.Enter(symbol="AAPL", side=Side.BUY, size=FixedQuantity(D(1))), "AAPL"),
        (wishes.Add(symbol="AAPL", quantity=D(1)), "AAPL"),
        (wishes.Exit(symbol="AAPL"), "AAPL"),
        (wishes.MoveStop(symbol="AAPL", level=D(1)), ""),
        (wishes.LetTrail(symbol="AAPL", trail=Trail(amount=D(1))), ""),
        (wishes.Tell(message="x"), ""),
        (wishes.StopTrading(reason="x", symbol="AAPL"), ""),
    ],
)
def test_whose_position_a_wish_changes(wish: Wish, symbol: str) -> None:
    assert traded(wish) == symbol


def test_why_it_cannot_be_wished_is_plain() -> None:
    error = CannotWish("no price", "wait")
    assert (str(error), error.message, error.hint) == ("no price", "no price", "wait")


def test_what_is_not_said_is_not_wished() -> None:
    enter = wishes.Enter(symbol="AAPL", side=Side.BUY, size=FixedQuantity(D(1)))
    assert (enter.stop, enter.targets, enter.limit, enter.reverses) == (None, (), None, False)
    assert wishes.Exit(symbol="AAPL").only is None
    assert not wishes.Tell(message="x").is_serious
    assert wishes.StopTrading(reason="x").symbol == ""
