from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import PriceBand
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Odds
from ibkr_trader.rules import wishes
from ibkr_trader.rules.proper_wishes import proper
from tests.rules.moments import D

TEN = FixedQuantity(D(10))


def enter(**fields: Any) -> wishes.Enter:
    return wishes.Enter(**{"symbol": "AAPL", "side": Side.BUY, "size": TEN, **fields})


@pytest.mark.parametrize(
    "wish",
    [
        enter(stop=D(140), targets=(D(160), D(170)), limit=D(149), reverses=True),
        enter(size=FixedRisk(amount=D(5))),
        enter(size=AtrRisk(multiple=D(2), risk=FixedRisk(fraction=D("0.01")))),
        enter(size=Kelly(odds=Odds(win_rate=D("0.5"), payoff=D(2)))),
        wishes.Add(symbol="AAPL", quantity=D(1)),
        wishes.Exit(symbol="AAPL", only=Side.SELL),
        wishes.MoveStop(symbol="AAPL", level=D(1)),
        wishes.LetTrail(symbol="AAPL", trail=Trail(percent=D(2))),
        wishes.Tell(message="about anything"),
        wishes.StopTrading(reason="all of it"),
        wishes.StopTrading(reason="another", symbol="SPY"),
    ],
)
def test_a_wish_about_the_symbol_is_handed_on(wish: wishes.Wish) -> None:
    assert proper(wish, "AAPL") is wish


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (None, "a NoneType is no wish"),
        ("close", "a str is no wish"),
        (wishes.Exit, "is no wish"),
        (enter(side="BUY"), "side of Enter cannot be 'BUY'"),
        (enter(stop=140.0), "stop of Enter cannot be 140.0"),
        (enter(stop=140), "stop of Enter cannot be 140"),
        (enter(targets=[D(1)]), "targets of Enter"),
        (enter(targets=(D(1), 2.0)), "targets of Enter"),
        (enter(size=10), "size of Enter cannot be 10"),
        (enter(size=FixedQuantity(10.0)), "quantity of FixedQuantity"),  # type: ignore[arg-type] # the point
        (enter(reverses=None), "reverses of Enter"),
        (wishes.Tell(message=None), "message of Tell"),  # type: ignore[arg-type] # the point
        (wishes.Exit(symbol=None), "symbol of Exit"),  # type: ignore[arg-type] # the point
        (
            wishes.LetTrail(
                symbol="AAPL",
                trail=Trail(amount=D(1), bands=(PriceBand(0, D(1)),)),  # type: ignore[arg-type] # the point
            ),
            "low_edge of PriceBand",
        ),
    ],
)
def test_what_is_no_wish_is_found_out(wish: object, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        proper(wish, "AAPL")


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (enter(stop=D("NaN")), "stop of Enter is NaN"),
        (enter(targets=(D(1), D("Infinity"))), "targets of Enter is Infinity"),
        (enter(size=FixedQuantity(D("NaN"))), "quantity of FixedQuantity is NaN"),
        (enter(symbol="MSFT"), "asked about AAPL, and wishes something of MSFT"),
        (wishes.Exit(symbol=""), "asked about AAPL"),
        (wishes.MoveStop(symbol="MSFT", level=D(1)), "of MSFT"),
    ],
)
def test_a_number_that_is_none_and_another_symbol_are_refused(wish: wishes.Wish, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        proper(wish, "AAPL")
