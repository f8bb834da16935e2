"""The emergency stop: where it stands, and what it is sent as."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import PriceBand
from ibkr_trader.orders.cover_orders import Attach, CoverRules, Market, Policy, emergency_stop
from ibkr_trader.orders.group import ORDER_TYPES
from tests.orders.samples import AAPL, ACCOUNT, GROUP, values

CENTS = (PriceBand(Decimal(0), Decimal("0.01")),)


def market(bid: str, ask: str) -> Market:
    return Market(CENTS, Decimal(bid), Decimal(ask))


@pytest.mark.parametrize(
    ("held", "cost", "bid", "ask", "expected"),
    [
        (10, "100", "100", "100.01", "95"),
        (10, "100", "120", "120.01", "95"),  # a gain is not given back by it
        (10, "100", "95", "95.01", "90.25"),  # at the cost's distance it would trade at once
        (10, "100", "90", "90.01", "85.5"),
        (-10, "100", "99.99", "100", "105"),
        (-10, "100", "104.99", "105", "110.25"),
        (10, "33.33", "33.33", "33.34", "31.67"),  # rounded towards the market: never wider
        (-10, "33.33", "33.33", "33.34", "34.99"),
        (10, "0.01", "0.01", "0.02", None),
    ],
)
def test_where_it_stands(held: int, cost: str, bid: str, ask: str, expected: str | None) -> None:
    found = emergency_stop(Decimal(held), Decimal(cost), market(bid, ask), distance=Decimal("0.05"))
    assert found == (Decimal(expected) if expected else None)


def test_it_is_a_stop_that_lasts_and_only_reduces() -> None:
    command = Attach(AAPL, Side.SELL, Decimal(4), Decimal(95)).order(GROUP, ACCOUNT)
    (spec,) = command.orders
    assert (command.kind, command.origin, command.reduces) == ("cover", "cover", True)
    assert (spec.order_id, spec.role, spec.order_type) == (
        "memo-1-stop", OrderRole.STOP, OrderType.STOP,
    )  # fmt: skip
    assert values(spec.side, spec.quantity, spec.stop_price) == (Side.SELL, 4, 95)
    assert (spec.time_in_force, spec.account, spec.contract) == (TimeInForce.GTC, ACCOUNT, AAPL)
    group = ORDER_TYPES["cover"](GROUP, command.orders, {})
    assert not group.is_closed
    assert group.open().orders == command.orders


def test_rules_must_make_sense() -> None:
    assert CoverRules().policy is Policy.ALERT
    for distance in ("0", "1", "-0.1"):
        with pytest.raises(ValueError, match="stop_distance must be between 0 and 1"):
            CoverRules(stop_distance=Decimal(distance))
    with pytest.raises(ValueError, match="grace must be more than 0 seconds"):
        CoverRules(grace=timedelta(0))
    with pytest.raises(ValueError, match="repeat must be more than 0 seconds"):
        CoverRules(repeat=timedelta(0))
