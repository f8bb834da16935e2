"""What protects a position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, OrderType, Side
from ibkr_trader.core.models import Order, OrderId, Position
from ibkr_trader.portfolio.protection import Protection, protection, protections
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    MSFT,
    accepted,
    bracket_specs,
    fill,
    filled,
    order,
    values,
    working,
    written,
)


def held(quantity: int, mark: str | None = "152", cost: str = "150") -> Position:
    return Position(
        account=ACCOUNT,
        contract=AAPL,
        quantity=Decimal(quantity),
        average_cost=Decimal(cost),
        market_price=Decimal(mark) if mark else None,
    )


def exit_order(name: str = "stop", quantity: int = 10, **changes: Any) -> Order:
    terms: dict[str, Any] = {
        "order_id": OrderId(name),
        "side": Side.SELL,
        "quantity": Decimal(quantity),
        "order_type": OrderType.STOP,
        "limit_price": None,
        "stop_price": Decimal(145),
    }
    status = changes.pop("status", OrderStatus.SUBMITTED)
    return order(status, **(terms | changes))


def target(name: str = "target", price: str = "155", **changes: Any) -> Order:
    terms: dict[str, Any] = {
        "order_type": OrderType.LIMIT,
        "limit_price": Decimal(price),
        "stop_price": None,
    }
    return exit_order(name, **(terms | changes))


def test_a_protected_long() -> None:
    found = protection(held(10), [target(oca_group="x"), exit_order(oca_group="x")])
    assert found == Protection(
        position=held(10),
        stop=Decimal(145),
        target=Decimal(155),
        covered=Decimal(10),
        coverage=Decimal(1),
        closing=Decimal(10),
        distance=Decimal(7),
        distance_fraction=Decimal(7) / 152,
        risk=Decimal(5),
        r=Decimal(2) / 5,
        orders=(OrderId("stop"), OrderId("target")),
    )
    assert found.is_covered


def test_a_protected_short() -> None:
    found = protection(
        held(-10, "148"),
        [
            exit_order(side=Side.BUY, stop_price=Decimal(155)),
            target(side=Side.BUY, price="140"),
        ],
    )
    assert values(found.stop, found.target, found.distance, found.r) == (
        155, 140, 7, Decimal(2) / 5,
    )  # fmt: skip


def test_a_naked_position() -> None:
    found = protection(held(10), [])
    assert values(found.stop, found.target, found.covered, found.coverage) == (None, None, 0, 0)
    assert (found.distance, found.distance_fraction, found.risk, found.r) == (None,) * 4
    assert not found.is_covered


@pytest.mark.parametrize(
    "beside",
    [
        exit_order(side=Side.BUY),
        exit_order(contract=MSFT),
        exit_order(status=OrderStatus.UNKNOWN),
        exit_order(status=OrderStatus.PENDING),
        exit_order(status=OrderStatus.INACTIVE),
        exit_order(status=OrderStatus.CANCELLED),
    ],
)
def test_what_may_not_work_protects_nobody(beside: Order) -> None:
    assert protection(held(10), [beside]).covered == 0


def test_of_exits_of_which_one_trades_the_largest_counts() -> None:
    """Stops in one group are not added up, nor are the two exits of an entry."""
    group = [exit_order("a", 6, oca_group="x"), exit_order("b", 4, oca_group="x")]
    assert protection(held(10), group).covered == 6
    parent = OrderId("memo-1-entry")
    pair = [exit_order("a", 10, parent_id=parent), target("b", parent_id=parent)]
    assert protection(held(10), pair).closing == 10
    alone = [exit_order("a", 6), exit_order("b", 6)]
    found = protection(held(10), alone)
    assert values(found.covered, found.closing) == (10, 12)


def test_the_nearest_prices_are_told() -> None:
    found = protection(
        held(10),
        [
            exit_order("a", 5),
            exit_order("b", 5, stop_price=Decimal(148)),
            target("c", "155"),
            target("d", "154", order_type=OrderType.MARKET_IF_TOUCHED, limit_price=None,
                   stop_price=Decimal(154)),
            exit_order("e", 1, order_type=OrderType.TRAIL, stop_price=None),
            exit_order("f", 1, order_type=OrderType.MARKET, stop_price=None),
        ],
    )  # fmt: skip
    assert values(found.stop, found.target) == (148, 154)
    assert found.orders == ("a", "b", "e", "c", "d")


def test_without_a_price_there_is_no_distance() -> None:
    found = protection(held(10, None), [exit_order()])
    assert (found.distance, found.distance_fraction, found.r) == (None, None, None)
    assert found.risk == 5


def test_a_stop_beyond_the_cost_has_nothing_left_to_risk() -> None:
    found = protection(held(10), [exit_order(stop_price=Decimal(151))])
    assert values(found.risk, found.r) == (-1, None)
    assert protection(held(10), [exit_order(stop_price=Decimal(150))]).r is None


def test_every_position_has_its_line() -> None:
    entry, goal, stop = bracket_specs()
    state = fold(
        [
            *(written(one) for one in (entry, goal, stop)),
            *(accepted(one) for one in (entry, goal, stop)),
            filled(fill(10, order_id=entry.order_id)),
            working(goal.order_id),
            ev.PositionReportEvent(at=AT, position=held(10)),
        ]
    )
    found = protections(state)
    assert found.keys() == {AAPL.con_id}
    assert found[AAPL.con_id].is_covered
    assert found[AAPL.con_id].closing == 10


def test_nothing_held_is_nothing_to_cover() -> None:
    assert protection(held(0), []).coverage == 0
