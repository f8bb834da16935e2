"""What is added beside exits of another kind has exits like them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, Order, OrderId
from ibkr_trader.orders.alike_exits import alike
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.linked_orders import ScaleInRequest
from tests.orders.samples import order

MORE = ScaleInRequest(symbol="AAPL", quantity=Decimal(5))


def stop(price: str | None = "145", **terms: Any) -> Order:
    known: dict[str, Any] = {
        "role": OrderRole.STOP,
        "order_id": OrderId("memo-1-stop"),
        "side": Side.SELL,
        "quantity": Decimal(10),
        "order_type": OrderType.STOP,
        "limit_price": None,
        "stop_price": None if price is None else Decimal(price),
        "time_in_force": TimeInForce.GTC,
    }
    return order(**(known | terms))


def target(price: str, quantity: int, **terms: Any) -> Order:
    return stop(
        None,
        role=OrderRole.TARGET,
        order_type=OrderType.LIMIT,
        limit_price=Decimal(price),
        quantity=Decimal(quantity),
        **terms,
    )


def like(*exits: Order, held: int = 10, request: ScaleInRequest = MORE) -> BracketOrderRequest:
    found = alike(request, exits, held=Decimal(held))
    assert found is not None
    found.validate()
    return found


def test_without_a_working_stop_there_is_nothing_to_be_like() -> None:
    assert alike(MORE, [], held=Decimal(10)) is None
    assert alike(MORE, [target("155", 10)], held=Decimal(10)) is None
    doubtful = stop(status=OrderStatus.UNKNOWN)
    assert alike(MORE, [doubtful], held=Decimal(10)) is None


def test_a_stop_and_a_target_at_the_same_prices() -> None:
    found = like(target("155", 10, outside_rth=True), stop())
    assert (found.parent.side, found.parent.quantity) == (Side.BUY, Decimal(5))
    assert (found.stop_loss.stop_price, found.stop_loss.side) == (Decimal(145), Side.SELL)
    (aim,) = found.targets
    assert (aim.limit_price, aim.quantity, aim.outside_rth) == (Decimal(155), Decimal(5), True)
    assert found.exit_time_in_force is TimeInForce.GTC


def test_several_targets_keep_their_parts() -> None:
    found = like(target("155", 6), target("160", 2), stop())
    assert [(aim.limit_price, aim.quantity) for aim in found.targets] == [
        (Decimal(155), Decimal(3)), (Decimal(160), Decimal(1)),
    ]  # fmt: skip
    few = ScaleInRequest(symbol="AAPL", quantity=Decimal(1))
    (aim,) = like(target("155", 6), target("160", 4), stop(), request=few).targets
    assert (aim.limit_price, aim.quantity) == (Decimal(155), Decimal(1))


def test_of_several_stops_the_nearest_counts() -> None:
    assert like(stop("140"), stop("146")).stop_loss.stop_price == 146
    short = like(stop("155", side=Side.BUY), stop("160", side=Side.BUY), held=-10)
    assert (short.stop_loss.stop_price, short.parent.side) == (Decimal(155), Side.SELL)


def test_a_trail_begins_where_the_other_has_got_to() -> None:
    found = like(stop("148", order_type=OrderType.TRAIL, trail_percent=Decimal(2))).stop_loss
    assert (found.order_type, found.stop_price, found.trail_percent) == (
        OrderType.TRAIL, Decimal(148), Decimal(2),
    )  # fmt: skip


def test_a_stop_that_will_become_a_trail_will_so_again() -> None:
    turn = Adjustment(
        trigger=Decimal(152),
        order_type=OrderType.TRAIL,
        stop_price=Decimal(149),
        trail_amount=Decimal(3),
    )
    assert like(stop(adjustment=turn)).stop_loss.adjustment == turn


def test_a_limit_that_could_be_left_behind_is_left_out() -> None:
    found = like(stop(order_type=OrderType.STOP_LIMIT, limit_price=Decimal(144))).stop_loss
    assert (found.order_type, found.limit_price) == (OrderType.STOP, None)


def test_exits_for_the_day_are_for_the_day() -> None:
    found = like(stop(time_in_force=TimeInForce.DAY))
    assert found.exit_time_in_force is TimeInForce.DAY
