from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.models import OrderId
from ibkr_trader.portfolio.contract_exposure import ContractExposure, Working
from ibkr_trader.portfolio.value_span import NOTHING, Span, span_of
from tests.risk.world import D, figures, held


def exposure(quantity: int, *orders: tuple[int, str | None], **more: Any) -> ContractExposure:
    """So many held at 100, and orders of signed shares at a price."""
    working = tuple(
        Working(OrderId(f"t-{n}-single"), D(signed), D(at) if at else None, None, "")
        for n, (signed, at) in enumerate(orders)
    )
    position = held(quantity, cost="100") if quantity else None
    return ContractExposure.of(1, position, working)


@pytest.mark.parametrize(
    ("one", "market", "low", "high"),
    [
        (exposure(10), None, 1000, 1000),
        (exposure(-10), None, -1000, -1000),
        (exposure(10), "90", 900, 900),  # what is held is worth what the market gives
        (exposure(0, (10, "110")), None, 0, 1100),
        (exposure(10, (10, "110")), None, 1000, 2100),  # what is held is not worth more by it
        (exposure(10, (-30, "110")), None, -2200, 1000),
        (exposure(10, (-4, "110")), None, 600, 1000),  # the rest is surely held
        (exposure(-10, (4, "110")), None, -1000, -600),
        (exposure(-10, (30, "110")), "120", -1200, 2400),
        (exposure(0, (10, None)), "120", 0, 1200),
        (exposure(0, (10, "110")), "120", 0, 1200),
        (exposure(0, (10, "130")), "120", 0, 1300),
    ],
)
def test_values_between_which_a_contract_may_end(
    one: ContractExposure, market: str | None, low: int, high: int
) -> None:
    assert span_of(one, D(market) if market else None) == Span(D(low), D(high))


def test_without_a_price_there_is_no_value() -> None:
    assert span_of(exposure(0, (10, None))) is None


def test_thirds_are_rounded_outward() -> None:
    third = ContractExposure.of(1, held(1, cost=str(Decimal(1) / 3)), ())
    assert span_of(third) == Span(D("0.333333"), D("0.333334"))


def test_spans_add_up() -> None:
    one, other = Span(D(-5), D(3)), Span(D(1), D(2))
    assert one.plus(other) == Span(D(-4), D(5))
    assert one.plus(other).minus(other) == one
    assert (one.reach, other.reach, NOTHING.reach) == figures(5, 2, 0)
    assert Span(D(1), D(-1)).reach == 0
