from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side, TimeInForce
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Size
from ibkr_trader.rules import wishes
from ibkr_trader.rules.wish_text import kind_of, line_of, terms_of
from tests.rules.moments import D

ONE_PERCENT = FixedRisk(fraction=D("0.01"))
ENTER = wishes.Enter(
    symbol="AAPL",
    side=Side.SELL,
    size=ONE_PERCENT,
    stop=D("154.50"),
    targets=(D("145.5"), D(141)),
    limit=D("151"),
    exit_tif=TimeInForce.DAY,
    reverses=True,
)
TABLE: list[tuple[wishes.Wish, str, dict[str, str], str]] = [
    (
        ENTER,
        "open",
        {
            "symbol": "AAPL", "side": "SELL", "size": "risk:1%", "stop": "154.50",
            "targets": "145.5 141", "limit": "151", "exit_tif": "DAY", "reverses": "True",
        },
        "short AAPL, at 151.00, stop 154.50, target 145.50, target 141.00",
    ),
    (
        wishes.Enter(symbol="AAPL", side=Side.BUY, size=FixedQuantity(D(10))),
        "open",
        {"symbol": "AAPL", "side": "BUY", "size": "10", "exit_tif": "GTC"},
        "long AAPL",
    ),
    (
        wishes.Add(symbol="AAPL", quantity=D(5), limit=D("0.00001")),
        "scale_in",
        {"symbol": "AAPL", "quantity": "5", "limit": "0.00001"},
        "add 5 AAPL",
    ),
    (wishes.Exit(symbol="AAPL"), "close", {"symbol": "AAPL"}, "close AAPL"),
    (
        wishes.Exit(symbol="AAPL", only=Side.BUY),
        "close",
        {"symbol": "AAPL", "only": "BUY"},
        "close AAPL",
    ),
    (
        wishes.MoveStop(symbol="AAPL", level=D("1E+2")),
        "move_stop",
        {"symbol": "AAPL", "level": "100"},
        "stop of AAPL to 100.00",
    ),
    (
        wishes.LetTrail(symbol="AAPL", trail=Trail(percent=D(2))),
        "trail",
        {"symbol": "AAPL", "trail": "2%"},
        "stop of AAPL trails by 2%",
    ),
    (wishes.Tell(message="hello"), "notify", {"message": "hello"}, "hello"),
    (
        wishes.Tell(message="hello", is_serious=True),
        "notify",
        {"message": "hello", "is_serious": "True"},
        "hello",
    ),
    (wishes.StopTrading(reason="why"), "halt", {"reason": "why"}, "halt everything: why"),
    (
        wishes.StopTrading(reason="why", symbol="AAPL"),
        "halt",
        {"reason": "why", "symbol": "AAPL"},
        "halt AAPL: why",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "kind", "terms", "line"), TABLE)
def test_a_wish_as_text(wish: wishes.Wish, kind: str, terms: dict[str, str], line: str) -> None:
    assert kind_of(wish) == kind
    assert terms_of(wish) == terms
    assert line_of(wish) == line


@pytest.mark.parametrize(
    ("size", "text"),
    [(Kelly(), "kelly"), (AtrRisk(multiple=D(2), risk=ONE_PERCENT), "atr:2:1%")],
)
def test_a_size_is_written_as_in_a_file(size: Size, text: str) -> None:
    wish = wishes.Enter(symbol="AAPL", side=Side.BUY, size=size)
    assert terms_of(wish)["size"] == text


PRICES = st.decimals(min_value=0, max_value=10_000, places=4)
FIELDS = st.fixed_dictionaries(
    {"symbol": st.sampled_from(["AAPL", "BRK B"]), "side": st.sampled_from(Side)},
    optional={
        "stop": st.none() | PRICES,
        "targets": st.lists(PRICES, max_size=3).map(tuple),
        "limit": st.none() | PRICES,
        "exit_tif": st.sampled_from([TimeInForce.DAY, TimeInForce.GTC]),
        "reverses": st.booleans(),
    },
)


@given(FIELDS)
def test_every_field_that_is_set_is_among_the_terms_and_can_be_read_back(
    fields: dict[str, Any],
) -> None:
    wish = wishes.Enter(size=FixedQuantity(D(1)), **fields)
    terms = terms_of(wish)
    for name in wish.__struct_fields__:
        value = getattr(wish, name)
        assert (name in terms) is (value is not None and value is not False and value != ())
    assert tuple(Decimal(one) for one in terms.get("targets", "").split()) == wish.targets
    assert (Decimal(terms["stop"]) if "stop" in terms else None) == wish.stop
    assert Side(terms["side"]) is wish.side
