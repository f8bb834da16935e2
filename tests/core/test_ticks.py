"""What is a legal price."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import Adjustment, PriceBand
from ibkr_trader.core.ticks import (
    conforms,
    increment_at,
    round_down,
    round_entry_stop,
    round_limit,
    round_protective_stop,
    round_trail,
    round_up,
    with_legal_prices,
)
from tests.orders.samples import spec

CENTS = (PriceBand(Decimal(0), Decimal("0.01")),)
# Stocks below a dollar, then cents, then nickels (given out of order).
STEPS = (
    PriceBand(Decimal(1), Decimal("0.01")),
    PriceBand(Decimal(0), Decimal("0.0001")),
    PriceBand(Decimal(100), Decimal("0.05")),
)
ODD = (PriceBand(Decimal(0), Decimal("0.03")), PriceBand(Decimal(1), Decimal("0.25")))


@pytest.mark.parametrize(
    ("price", "step"),
    [
        ("0", "0.0001"), ("0.9999", "0.0001"), ("1", "0.01"), ("99.99", "0.01"),
        ("100", "0.05"), ("5000", "0.05"), ("-0.5", "0.0001"), ("-2", "0.01"),
    ],
)  # fmt: skip
def test_the_step_is_that_of_the_band(price: str, step: str) -> None:
    assert increment_at(Decimal(price), STEPS) == Decimal(step)


def test_below_every_band_the_lowest_counts() -> None:
    bands = (PriceBand(Decimal(5), Decimal("0.05")), PriceBand(Decimal(1), Decimal("0.01")))
    assert increment_at(Decimal("0.5"), bands) == Decimal("0.01")


def test_without_bands_nothing_is_legal() -> None:
    with pytest.raises(ValueError, match="without price bands"):
        increment_at(Decimal(1), ())
    with pytest.raises(ValueError, match="must be positive"):
        increment_at(Decimal(1), (PriceBand(Decimal(0), Decimal(0)),))


@pytest.mark.parametrize(
    ("price", "is_legal"),
    [("150.01", True), ("150.010", True), ("150.011", False), ("NaN", False), ("Infinity", False)],
)
def test_conforming(price: str, is_legal: bool) -> None:
    assert conforms(Decimal(price), CENTS) is is_legal


ROUNDED = [
    ("150.004", "150.00", "150.01"),
    ("150.01", "150.01", "150.01"),
    ("-150.004", "-150.01", "-150.00"),
    ("1000000000.001", "1000000000.00", "1000000000.01"),
]


@pytest.mark.parametrize(("price", "below", "above"), ROUNDED)
def test_rounding(price: str, below: str, above: str) -> None:
    assert round_down(Decimal(price), CENTS) == Decimal(below)
    assert round_up(Decimal(price), CENTS) == Decimal(above)


def test_rounding_across_an_edge_is_legal_on_the_other_side() -> None:
    assert round_up(Decimal("0.99995"), STEPS) == 1
    assert round_up(Decimal("99.991"), STEPS) == 100
    assert round_down(Decimal("100.04"), STEPS) == 100
    assert round_up(Decimal("0.995"), ODD) == Decimal("1.25")  # 1.02 is no quarter
    assert round_down(Decimal("1.1"), ODD) == 1
    ragged = (PriceBand(Decimal(0), Decimal("0.03")), PriceBand(Decimal("1.1"), Decimal("0.25")))
    assert round_down(Decimal("1.2"), ragged) == Decimal("0.99")  # 1.00 lies below the edge


prices = st.decimals(min_value="0.0001", max_value="100000", places=6)


@given(prices, st.sampled_from([CENTS, STEPS]))
def test_rounding_is_legal_near_and_on_its_side(price: Decimal, bands: tuple[PriceBand]) -> None:
    below, above = round_down(price, bands), round_up(price, bands)
    assert below <= price <= above
    assert above - below <= increment_at(above, bands)
    assert conforms(below, bands)
    assert conforms(above, bands)
    assert round_down(below, bands) == below
    assert round_up(above, bands) == above


@given(prices, st.sampled_from([CENTS, STEPS]))
def test_nobody_is_worse_off(price: Decimal, bands: tuple[PriceBand]) -> None:
    """A limit is no worse than asked, a protective stop no wider, an entry stop no sooner."""
    assert round_limit(price, Side.BUY, bands) <= price <= round_limit(price, Side.SELL, bands)
    assert round_protective_stop(price, Side.SELL, bands) >= price
    assert round_protective_stop(price, Side.BUY, bands) <= price
    assert round_entry_stop(price, Side.BUY, bands) >= price
    assert round_entry_stop(price, Side.SELL, bands) <= price


ORDERS = [
    (OrderRole.ENTRY, OrderType.LIMIT, Side.BUY, "150.00", None),
    (OrderRole.TARGET, OrderType.LIMIT, Side.SELL, "150.01", None),
    (OrderRole.STOP, OrderType.STOP, Side.SELL, None, "145.01"),
    (OrderRole.STOP, OrderType.STOP, Side.BUY, None, "145.00"),
    (OrderRole.SINGLE, OrderType.STOP, Side.BUY, None, "145.01"),
    (OrderRole.SINGLE, OrderType.STOP_LIMIT, Side.SELL, "150.01", "145.00"),
    (OrderRole.SINGLE, OrderType.MARKET_IF_TOUCHED, Side.BUY, None, "145.00"),
    (OrderRole.STOP, OrderType.LIMIT_IF_TOUCHED, Side.SELL, "150.01", "145.01"),
    (OrderRole.SINGLE, OrderType.MARKET, Side.BUY, None, None),
]


@pytest.mark.parametrize(("role", "kind", "side", "limit", "stop"), ORDERS)
def test_an_order_is_rounded_by_side_type_and_role(
    role: OrderRole, kind: OrderType, side: Side, limit: str | None, stop: str | None
) -> None:
    asked = spec(
        role,
        order_type=kind,
        side=side,
        limit_price=Decimal("150.005") if limit else None,
        stop_price=Decimal("145.005") if stop else None,
    )
    found = with_legal_prices(asked, CENTS)
    assert found.limit_price == (Decimal(limit) if limit else None)
    assert found.stop_price == (Decimal(stop) if stop else None)


TRAIL_STEPS = [
    ("2.507", "150", "2.50"),  # by the step where the stop stands, and never wider
    ("2.509", None, "2.50"),
    ("0.004", None, "0.0040"),  # of a stock below a dollar
    ("0.004", "150", "0.05"),  # the least there is
    ("0.00001", None, "0.0001"),
    ("2.5", "150", "2.5"),
]


@pytest.mark.parametrize(("amount", "stop", "rounded"), TRAIL_STEPS)
def test_a_trail_is_whole_steps_and_at_least_one(
    amount: str, stop: str | None, rounded: str
) -> None:
    price = Decimal(stop) if stop is not None else None
    assert round_trail(Decimal(amount), price, STEPS) == Decimal(rounded)


def test_a_trail_and_what_a_stop_turns_into_are_never_wider_than_asked() -> None:
    asked = spec(
        OrderRole.STOP, side=Side.SELL, order_type=OrderType.TRAIL, limit_price=None,
        trail_amount=Decimal("2.509"),
    )  # fmt: skip
    assert with_legal_prices(asked, CENTS).trail_amount == Decimal("2.50")
    percent = msgspec.structs.replace(asked, trail_amount=None, trail_percent=Decimal("1.23456"))
    assert with_legal_prices(percent, CENTS) == percent


@pytest.mark.parametrize(
    ("side", "rounded"),
    [
        (Side.SELL, ("155.01", "150.01", "149.01", "2.00")),
        (Side.BUY, ("155.00", "150.00", "149.00", "2.00")),
    ],
)
def test_the_prices_of_an_adjustment_are_rounded_by_side(
    side: Side, rounded: tuple[str, ...]
) -> None:
    adjustment = Adjustment(
        trigger=Decimal("155.005"), order_type=OrderType.TRAIL_LIMIT, stop_price=Decimal("150.005"),
        limit_price=Decimal("149.005"), trail_amount=Decimal("2.005"),
    )  # fmt: skip
    asked = spec(OrderRole.STOP, side=side, adjustment=adjustment)
    found = with_legal_prices(asked, CENTS).adjustment
    assert found is not None
    assert (found.trigger, found.stop_price, found.limit_price, found.trail_amount) == tuple(
        map(Decimal, rounded)
    )
    least = Adjustment(trigger=Decimal("155.005"), order_type=OrderType.STOP)
    assert with_legal_prices(spec(adjustment=least), CENTS).adjustment == Adjustment(
        trigger=Decimal("155.00"), order_type=OrderType.STOP
    )
