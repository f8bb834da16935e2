"""The exits of a position that is taken over: on the right side, for what is lacking."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.orders.adoption import Taken, exits
from ibkr_trader.orders.cover_orders import Attach
from ibkr_trader.orders.exit_levels import Level, Wanted
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from tests.orders.samples import AAPL
from tests.orders.test_cover_orders import CENTS

SIZE = Decimal(6)
LONG = Taken("AAPL", AAPL, Decimal(10), Decimal("150.333"), CENTS)
SHORT = LONG._replace(held=Decimal(-10))
PART, FAR = Level(fraction=Decimal("0.03")), Level(fraction=Decimal("0.1"))
AT = Level(price=Decimal(145))


def test_a_stop_by_itself() -> None:
    assert exits(Wanted(stop=AT), LONG, SIZE) == Attach(AAPL, Side.SELL, SIZE, Decimal(145))
    long, short = exits(Wanted(stop=PART), LONG, SIZE), exits(Wanted(stop=PART), SHORT, SIZE)
    assert isinstance(long, Attach)
    assert isinstance(short, Attach)
    # Never further from the market than asked.
    assert (long.side, long.stop_price) == (Side.SELL, Decimal("145.83"))
    assert (short.side, short.stop_price) == (Side.BUY, Decimal("154.84"))


def test_a_stop_beside_a_target() -> None:
    found = exits(Wanted(stop=PART, target=FAR), LONG, SIZE)
    assert isinstance(found, OCOOrderRequest)
    found.validate()
    assert (found.order_a.order_type, found.order_a.stop_price) == (
        OrderType.STOP,
        Decimal("145.83"),
    )
    assert (found.order_b.order_type, found.order_b.limit_price) == (
        OrderType.LIMIT,
        Decimal("165.37"),
    )
    assert {leg.quantity for leg in found.legs} == {SIZE}
    short = exits(Wanted(stop=PART, target=FAR), SHORT, SIZE)
    assert isinstance(short, OCOOrderRequest)
    assert short.order_b.limit_price == Decimal("135.29")


def test_a_trail_alone_or_beside_a_target() -> None:
    percent = exits(Wanted(trail=FAR), LONG, SIZE)
    assert isinstance(percent, TrailingStopConfig)
    assert (percent.side, str(percent.trail_percent), percent.trail_amount) == (
        Side.SELL,
        "10",
        None,
    )
    amount = exits(Wanted(trail=Level(price=Decimal(3))), LONG, SIZE)
    assert isinstance(amount, TrailingStopConfig)
    assert (amount.trail_amount, amount.trail_percent) == (Decimal(3), None)
    beside = exits(Wanted(trail=PART, target=FAR), LONG, SIZE)
    assert isinstance(beside, OCOOrderRequest)
    beside.validate()
    assert (beside.order_a.order_type, beside.order_a.trail_percent) == (
        OrderType.TRAIL,
        Decimal(3),
    )


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(target=PART), Wanted(stop=AT, trail=PART)])
def test_nothing_and_contradictions_are_refused(wanted: Wanted) -> None:
    with pytest.raises(ValueError, match=r"stop|trail"):
        exits(wanted, LONG, SIZE)
