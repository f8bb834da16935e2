"""Timed exits: one for each group of exits, linked to it, and never one that could trade twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderSpec
from ibkr_trader.orders.timed_exits import Held, TimedPlan, plan_timed_exits
from tests.orders.samples import AAPL, ACCOUNT, AT, GROUP, MSFT, bracket_specs, order, spec

S = OrderStatus
CLOSES = AT + timedelta(hours=5, minutes=55)
FRESH = GroupId("memo-9")


def exits(*, oca: str = "77", quantity: int = 10) -> list[Order]:
    """Return target and stop of a bracket, linked by the broker under `oca`."""
    return [
        Order(
            spec=msgspec.structs.replace(
                one, oca_group=oca, oca_type=OcaType.REDUCE if oca else None
            ),
            status=S.SUBMITTED,
        )
        for one in bracket_specs(quantity=quantity)[1:]
    ]


def plan(held: int, orders: list[Order], *family: str) -> TimedPlan:
    return plan_timed_exits(
        Held(AAPL, ACCOUNT, Decimal(held)),
        orders,
        at=CLOSES,
        group_id=FRESH,
        families={GROUP: tuple(map(OrderId, family))},
    )


def placed(found: TimedPlan) -> list[OrderSpec]:
    submits = [command for command in found.commands if isinstance(command, SubmitOrders)]
    assert all(command.reduces for command in submits)
    return [one for command in submits for one in command.orders]


def working(one: OrderSpec, **terms: Any) -> Order:
    return Order(spec=msgspec.structs.replace(one, **terms), status=S.PRESUBMITTED)


def test_it_joins_the_group_of_the_exits_that_it_backs() -> None:
    (one,) = placed(plan(10, exits()))
    assert (one.order_id, one.role, one.group_id) == ("memo-9-timed", OrderRole.TIMED, FRESH)
    assert (one.side, int(one.quantity), one.order_type) == (Side.SELL, 10, OrderType.MARKET)
    assert (one.oca_group, one.oca_type) == ("77", OcaType.REDUCE)
    assert (one.good_after, one.time_in_force) == (CLOSES, TimeInForce.DAY)


def test_a_short_is_bought_back() -> None:
    (one,) = placed(plan(-4, []))
    assert (one.side, int(one.quantity), one.oca_group) == (Side.BUY, 4, "")


def test_every_group_gets_its_own_and_what_is_left_another() -> None:
    found = placed(plan(18, [*exits(oca="77"), *exits(oca="78", quantity=5)]))
    assert [(one.order_id, int(one.quantity), one.oca_group) for one in found] == [
        ("memo-9-timed", 10, "77"),
        ("memo-9-timed.2", 5, "78"),
        ("memo-9-timed.3", 3, ""),
    ]


def test_no_more_than_is_held() -> None:
    found = placed(plan(4, [*exits(oca="77"), *exits(oca="78")]))
    assert [(int(one.quantity), one.oca_group) for one in found] == [(4, "77")]


def test_planning_again_changes_nothing() -> None:
    (one,) = placed(plan(10, exits()))
    again = plan(10, [*exits(), working(one)])
    assert again == TimedPlan(kept=(OrderId("memo-9-timed"),))


def test_a_size_is_changed_in_place() -> None:
    (one,) = placed(plan(10, exits()))
    partly = msgspec.structs.replace(working(one), filled=Decimal(2))
    grown = plan(12, [*exits(quantity=12), partly])
    assert grown.commands == (
        ModifyOrder(order_id=one.order_id, quantity=Decimal(14), origin="timed"),
    )
    assert grown.kept == (one.order_id,)


def test_another_time_or_another_group_takes_another_order() -> None:
    (one,) = placed(plan(10, exits()))
    early = working(one, good_after=CLOSES - timedelta(hours=3))
    for stale, others in ((early, exits()), (working(one), exits(oca="78"))):
        found = plan(10, [*others, stale])
        assert isinstance(found.commands[0], CancelOrder)
        assert found.cancelled == (one.order_id,)
        assert len(placed(found)) == 1


def test_a_flat_position_needs_none() -> None:
    (one,) = placed(plan(10, exits()))
    assert plan(0, []).commands == ()
    found = plan(0, [working(one)])
    assert (found.cancelled, placed(found)) == ((one.order_id,), [])


def test_beside_an_exit_that_cannot_be_joined_there_is_none() -> None:
    (one,) = placed(plan(10, exits()))
    found = plan(10, [*exits(oca=""), working(one)])
    assert (found.cancelled, placed(found)) == ((one.order_id,), [])
    assert "memo-1-target, memo-1-stop would close it too" in found.trouble


def test_a_strangers_exit_counts_and_its_timed_order_is_not_ours() -> None:
    theirs = order(is_foreign=True, order_id=OrderId("foreign-7"), side=Side.SELL)
    assert "foreign-7" in plan(10, [theirs]).trouble
    elsewhere = Order(spec=spec(contract=MSFT, side=Side.SELL), status=S.SUBMITTED)
    assert len(placed(plan(10, [elsewhere]))) == 1


def test_an_exit_with_nothing_left_is_not_backed() -> None:
    spent = [msgspec.structs.replace(one, filled=Decimal(10)) for one in exits()]
    found = placed(plan(5, spent))
    assert [(int(one.quantity), one.oca_group) for one in found] == [(5, "")]


KIN = ("memo-1-entry", "memo-1-target", "memo-1-stop")


@pytest.mark.parametrize(
    ("family", "name"),
    [
        (KIN, "memo-1-timed"),
        ((*KIN, "memo-1-timed", "memo-1-timed.2"), "memo-1-timed.3"),  # yesterday's, and today's
        ((*KIN, "memo-1-stop.2"), "memo-9-timed"),  # whose legs its numbers tell apart
        ((*KIN, "memo-1-timed.99"), "memo-9-timed"),
        ((), "memo-9-timed"),
        ((*KIN, "not one of ours"), "memo-1-timed"),
    ],
)
def test_of_a_bracket_with_one_stop_it_is_a_member(family: tuple[str, ...], name: str) -> None:
    (one,) = placed(plan(10, exits(), *family))
    assert one.order_id == name
    assert name.startswith(one.group_id)


def test_beside_exits_that_hang_from_nothing_it_is_a_group_of_its_own() -> None:
    loose = msgspec.structs.replace(exits()[1].spec, parent_id=None)
    found = plan(10, [exits()[0], Order(spec=loose, status=S.SUBMITTED)], *KIN)
    assert [one.order_id for one in placed(found)] == ["memo-9-timed"]
