"""What an order of each type is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, OrderRequest
from ibkr_trader.core.shapes import PRICES, SHAPES, faults
from tests.orders.samples import spec

D = Decimal
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


UTC_TIME = datetime(2026, 11, 20, 20, 45, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def adjusted(side: Side = Side.SELL, **terms: Any) -> dict[str, Any]:
    """Return a sell stop at 145 that becomes a stop at 150 once 155 is reached."""
    known: dict[str, Any] = {"trigger": D(155), "order_type": T.STOP, "stop_price": D(150)}
    adjustment = Adjustment(**(known | terms))
    stop = D(145) if side is Side.SELL else D(165)
    return {"side": side, "order_type": T.STOP, "stop_price": stop, "adjustment": adjustment}


RIGHT: list[dict[str, Any]] = [
    adjusted(),
    adjusted(stop_price=D(145)),  # only its type changes
    adjusted(Side.BUY, stop_price=D(160)),
    adjusted(order_type=T.STOP_LIMIT, limit_price=D(149)),
    adjusted() | {"order_type": T.STOP_LIMIT, "limit_price": D(144)},
    adjusted(order_type=T.TRAIL, trail_amount=D(3)),
    adjusted(order_type=T.TRAIL, trail_percent=D(3)),
    adjusted(order_type=T.TRAIL_LIMIT, trail_amount=D(3), limit_price=D(149)),
    {"good_after": UTC_TIME},
    {"order_type": T.STOP, "stop_price": D(145), "good_after": UTC_TIME,
     "time_in_force": TimeInForce.GTC},
]  # fmt: skip


@pytest.mark.parametrize("terms", RIGHT)
def test_what_waits_for_a_price_or_a_time_is_right(terms: dict[str, Any]) -> None:
    request(**terms).validate()


WRONG += [
    (adjusted(trigger=D(145)), "trigger 145 must be above the stop 145"),
    (adjusted(Side.BUY, trigger=D(165), stop_price=D(160)), "165 must be below the stop 165"),
    (adjusted(stop_price=D(144)), "adjusted stop 144 must not be below the stop 145: it would wid"),
    (adjusted(Side.BUY, stop_price=D(166)), "166 must not be above the stop 165"),
    (adjusted(stop_price=D(155)), "adjusted stop 155 must be below its trigger 155"),
    (adjusted(stop_price=None), "adjusted: a STOP order needs a stop price"),
    (adjusted(limit_price=D(1)), "adjusted: a STOP order takes no limit price"),
    (adjusted(order_type=T.TRAIL), "adjusted: a TRAIL order needs one of a trail amount and a tr"),
    (adjusted(order_type=T.LIMIT), "a stop cannot be adjusted to a LIMIT order"),
    (adjusted(trigger=D(0)), "the adjustment's trigger must be a price above zero, not 0"),
    (adjusted() | {"stop_price": D(0)}, "the stop price must be a price above zero, not 0"),
    (adjusted() | {"stop_price": None}, "a STOP order needs a stop price"),
    (
        adjusted() | {"order_type": T.TRAIL, "trail_amount": D(3)},
        "a TRAIL order cannot be adjusted",
    ),
    ({"good_after": UTC_TIME.replace(tzinfo=None)}, "a whole second in UTC, not 2026-11-20T20:45"),
    ({"good_after": UTC_TIME.astimezone(NEW_YORK)}, "a whole second in UTC"),
    ({"good_after": UTC_TIME.replace(microsecond=1)}, "a whole second in UTC"),
    (
        {"good_after": UTC_TIME, "order_type": T.MARKET_ON_CLOSE},
        "MARKET_ON_CLOSE has a time of its own",
    ),
    ({"good_after": UTC_TIME, "time_in_force": TimeInForce.OPG}, "OPG has a time of its own"),
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
    assert [fault.text for fault in faults(spec(quantity=Decimal(0)))] == [
        "the quantity must be 1 or more, not 0; the side says buy or sell"
    ]


def test_what_a_program_hands_over_in_the_wrong_type_is_refused_at_once() -> None:
    """A float above all: money is never made from one."""
    with pytest.raises(
        ValueError, match=r"quantity must be a Decimal.*10\.0; .*limit price.*; the side must be a"
    ):
        request(quantity=10.0, limit_price=150.1, side="BUY", order_type=T.LIMIT).validate()


def test_that_goes_for_what_a_stop_turns_into_and_for_the_time_too() -> None:
    odd: Any = Adjustment(trigger=155.0, order_type=T.STOP, stop_price=150.0)  # type: ignore[arg-type] # what a program might do
    with pytest.raises(
        ValueError, match=r"adjusted trigger must be a D.*adjusted stop price.*good after must be"
    ):
        request(
            order_type=T.STOP, stop_price=PRICE, adjustment=odd, good_after="20261120"
        ).validate()
