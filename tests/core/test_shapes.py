"""What an order of each type is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.core.shapes import PRICES, SHAPES, faults
from tests.orders.samples import spec

T = OrderType
PRICE = Decimal(150)


def request(**terms: Any) -> OrderRequest:
    known: dict[str, Any] = {"symbol": "AAPL", "quantity": Decimal(10), "side": Side.BUY}
    return OrderRequest(**(known | terms))


def complete(kind: OrderType) -> dict[str, Any]:
    """Return the prices that an order of the type needs, and no more."""
    shape = SHAPES[kind]
    prices = dict.fromkeys(shape.needs, PRICE)
    return prices | ({"trail_amount": Decimal(3)} if shape.trails else {})


def test_every_type_has_a_shape() -> None:
    assert SHAPES.keys() == set(OrderType)


@pytest.mark.parametrize("kind", OrderType)
def test_exactly_the_prices_of_its_type_are_right(kind: OrderType) -> None:
    prices = complete(kind)
    request(order_type=kind, **prices).validate()
    for name in PRICES:
        words = name.replace("_", " ")
        if name in prices:
            lacking = {key: value for key, value in prices.items() if key != name}
            with pytest.raises(ValueError, match="needs"):
                request(order_type=kind, **lacking).validate()
        elif not SHAPES[kind].takes(name):
            with pytest.raises(ValueError, match=f"takes no {words}"):
                request(order_type=kind, **prices, **{name: PRICE}).validate()


def test_a_trail_takes_one_of_two() -> None:
    both = {"trail_amount": Decimal(3), "trail_percent": Decimal(2)}
    with pytest.raises(ValueError, match="one of a trail amount and a trail percent"):
        request(order_type=T.TRAIL, **both).validate()
    request(order_type=T.TRAIL, trail_percent=Decimal(2), stop_price=PRICE).validate()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"quantity": Decimal(0)}, "the quantity must be 1 or more, not 0"),
    ({"quantity": Decimal(-1)}, "the quantity must be 1 or more, not -1"),
    ({"quantity": Decimal("1.5")}, "the quantity must be whole, not 1.5"),
    ({"quantity": Decimal("NaN")}, "the quantity NaN is not a number"),
    ({"quantity": Decimal("Infinity")}, "the quantity Infinity is not a number"),
    ({"quantity": Decimal("1e10")}, "the quantity 10000000000 is beyond any meaning"),
    ({"order_type": T.LIMIT, "limit_price": Decimal(0)}, "a price above zero, not 0"),
    ({"order_type": T.LIMIT, "limit_price": Decimal("NaN")}, "a price above zero, not NaN"),
    ({"order_type": T.LIMIT, "limit_price": Decimal("1e10")}, r"a price above zero, not 1E\+10"),
    ({"order_type": T.TRAIL, "trail_percent": Decimal(100)}, "100 percent is no stop"),
    ({"time_in_force": TimeInForce.GTD}, "has no date here"),
    ({"order_type": T.MARKET_ON_CLOSE, "time_in_force": TimeInForce.GTC}, "the day only, not GTC"),
    (
        {"order_type": T.STOP, "stop_price": PRICE, "time_in_force": TimeInForce.IOC},
        "IOC is for market and limit orders, not STOP",
    ),
    ({"symbol": " "}, "the symbol is missing"),
]


@pytest.mark.parametrize(("terms", "words"), WRONG)
def test_what_contradicts_itself_is_refused(terms: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        request(**terms).validate()


@pytest.mark.parametrize("lasting", sorted(set(TimeInForce) - {TimeInForce.GTD}))
def test_a_limit_may_wait_as_it_likes(lasting: TimeInForce) -> None:
    request(order_type=T.LIMIT, limit_price=PRICE, time_in_force=lasting).validate()


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"symbol.*quantity.*limit price.*no date"):
        request(
            symbol="", quantity=Decimal(0), order_type=T.LIMIT, time_in_force=TimeInForce.GTD
        ).validate()


def test_an_order_in_full_is_judged_the_same() -> None:
    assert list(faults(spec())) == []
    assert list(faults(spec(quantity=Decimal(0)))) == [
        "the quantity must be 1 or more, not 0; the side says buy or sell"
    ]


def test_what_a_program_hands_over_in_the_wrong_type_is_refused_at_once() -> None:
    """A float above all: money is never made from one."""
    with pytest.raises(
        ValueError, match=r"quantity must be a Decimal.*10\.0; .*limit price.*; the side must be a"
    ):
        request(quantity=10.0, limit_price=150.1, side="BUY", order_type=T.LIMIT).validate()
