"""The rows of a screen: made of what is there, again only if it changed, and stops that matter."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.cli.position_view import six_digits
from ibkr_trader.cli.screen_rows import ScreenRows, in_order
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.models import (
    Contract,
    ContractDetails,
    GroupId,
    Order,
    OrderId,
    OrderSpec,
    Position,
)
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.portfolio.protection import protection
from ibkr_trader.portfolio.state import PortfolioState
from tests.execution.parts import AAPL as CON_ID
from tests.execution.parts import START, Floor, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.dashboard.scene import OrderRow

AAPL = Contract(symbol="AAPL", con_id=CON_ID)
HELD = Position(
    account="SIM0000001",
    contract=AAPL,
    quantity=Decimal(10),
    average_cost=Decimal(150),
    market_price=Decimal(152),
)


def order(
    number: int,
    kind: OrderType = OrderType.STOP,
    *,
    size: int = 10,
    stop: int | None = 145,
    limit: int | None = None,
    side: Side = Side.SELL,
    status: OrderStatus = OrderStatus.SUBMITTED,
    oca: str = "",
) -> Order:
    spec = OrderSpec(
        order_id=OrderId(f"k7qav-{number}-single"),
        group_id=GroupId(f"k7qav-{number}"),
        role=OrderRole.SINGLE,
        contract=AAPL,
        account="SIM0000001",
        side=side,
        quantity=Decimal(size),
        order_type=kind,
        stop_price=None if stop is None else Decimal(stop),
        limit_price=None if limit is None else Decimal(limit),
        oca_group=oca,
        oca_type=OcaType.CANCEL if oca else None,
        broker_order_id=number,
    )
    return Order(spec=spec, status=status, created_at=START, updated_at=START)


def portfolio(*orders: Order, held: Position | None = HELD) -> PortfolioState:
    return PortfolioState(
        orders={one.order_id: one for one in orders},
        positions={} if held is None else {held.contract.con_id: held},
    )


def unknown(_: int) -> ContractDetails | None:
    return None


def rows(*orders: Order, held: Position | None = HELD) -> ScreenRows:
    made = ScreenRows(lambda _: "by hand")
    made.follow(portfolio(*orders, held=held), unknown)
    return made


def last_stops(*orders: Order, held: Position | None = HELD) -> set[int]:
    return {row.number for row in rows(*orders, held=held).orders.values() if row.is_last_stop}


# -- stops that matter --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orders", "needed"),
    [
        ([order(1)], {1}),
        ([order(1), order(2)], set()),  # either alone covers all of it
        ([order(1, size=6), order(2, size=4)], {1, 2}),
        ([order(1, size=6), order(2, size=6)], {1, 2}),
        ([order(1, size=5)], {1}),  # it covers only half, and without it nothing would
        ([order(1, oca="x"), order(2, size=4, oca="x")], {1}),
        ([order(1, oca="x"), order(2, oca="x")], set()),
        ([order(1), order(2, status=OrderStatus.UNKNOWN)], {1}),
        ([order(1, status=OrderStatus.UNKNOWN)], set()),
        ([order(1, OrderType.LIMIT, stop=None, limit=160)], set()),
        ([order(1, side=Side.BUY)], set()),
        ([order(1), order(2, OrderType.STOP_LIMIT, limit=160)], {1}),  # left behind: it ends none
    ],
)
def test_a_stop_is_the_last_if_less_would_be_covered_without_it(
    orders: list[Order], needed: set[int]
) -> None:
    assert last_stops(*orders) == needed
    # By the definition itself: take each away, and look at what is covered then.
    covered = protection(HELD, orders).covered
    by_hand = {
        one.spec.broker_order_id
        for one in orders
        if protection(HELD, [o for o in orders if o is not one]).covered < covered
    }
    assert by_hand == needed


def test_without_a_position_no_stop_is_the_last() -> None:
    assert last_stops(order(1), held=None) == set()


def test_a_stop_protects_by_what_is_held_and_by_its_role() -> None:
    entry = order(2, side=Side.BUY, stop=160)
    (long,) = (r for r in rows(order(1), entry).orders.values() if r.is_protective)
    assert long.number == 1
    short = msgspec.structs.replace(HELD, quantity=Decimal(-10))
    (up,) = (r for r in rows(order(1), entry, held=short).orders.values() if r.is_protective)
    assert up.number == 2
    flat = rows(order(1), entry, held=None).orders.values()
    assert not any(row.is_protective for row in flat)


# -- made again only if needed ---------------------------------------------------------------------


def test_what_is_unchanged_is_the_same_row() -> None:
    one, two = order(1, size=4), order(2, size=4)
    made = rows(one, two)
    before, held = dict(made.orders), made.positions[CON_ID]
    made.follow(portfolio(one, two), unknown)
    assert made.positions[CON_ID] is held
    assert all(made.orders[key] is row for key, row in before.items())
    changed = msgspec.structs.replace(two, filled=Decimal(1))
    made.follow(portfolio(one, changed), unknown)
    assert made.orders[one.order_id] is before[one.order_id]
    assert made.orders[two.order_id].filled == 1


def test_an_order_that_is_the_same_may_become_the_last_stop() -> None:
    one, two = order(1), order(2)
    made = rows(one, two)
    assert not made.orders[one.order_id].is_last_stop
    made.follow(portfolio(one), unknown)
    assert made.orders[one.order_id].is_last_stop
    assert two.order_id not in made.orders
    smaller = msgspec.structs.replace(HELD, quantity=Decimal(-10))
    made.follow(portfolio(one, held=smaller), unknown)
    assert not made.orders[one.order_id].is_last_stop
    made.follow(portfolio(one, held=None), unknown)
    assert not made.orders[one.order_id].is_last_stop
    assert made.positions == {}


def test_once_flat_an_order_that_is_the_same_protects_nothing() -> None:
    one = order(1)
    made = rows(one)
    assert made.orders[one.order_id].is_protective
    made.follow(portfolio(one, held=None), unknown)
    row = made.orders[one.order_id]
    assert (row.is_last_stop, row.is_protective) == (False, False)


def test_a_price_moves_a_position_and_no_order() -> None:
    one = order(1)
    made = rows(one)
    before = made.orders[one.order_id]
    moved = msgspec.structs.replace(HELD, market_price=Decimal(155))
    made.follow(portfolio(one, held=moved), unknown)
    row, whole = made.positions[CON_ID], protection(moved, [one])
    assert (row.last, row.pnl, row.r) == (Decimal(155), Decimal(50), Decimal(1))
    assert (row.stop, row.coverage) == (whole.stop, whole.coverage)
    assert row.distance_fraction == six_digits(whole.distance_fraction) is not None
    assert made.orders[one.order_id] is before


def test_a_stop_limit_that_the_market_leaves_behind_protects_no_more() -> None:
    one = order(1, OrderType.STOP_LIMIT, limit=144)
    made = rows(one)
    assert made.positions[CON_ID].covered == 10
    fallen = msgspec.structs.replace(HELD, market_price=Decimal(140))
    made.follow(portfolio(one, held=fallen), unknown)
    assert made.positions[CON_ID].covered == 0
    assert made.positions[CON_ID].stop_id == ""
    assert "left behind" in made.positions[CON_ID].remarks[0]


def test_an_order_whose_contract_is_named_anew_is_counted_once() -> None:
    one = order(1)
    unresolved = msgspec.structs.replace(
        one, spec=msgspec.structs.replace(one.spec, contract=Contract(symbol="AAPL", con_id=7))
    )
    made = rows(unresolved)
    assert made.positions[CON_ID].covered == 0
    made.follow(portfolio(one), unknown)
    assert made.positions[CON_ID].covered == 10
    assert made.orders[one.order_id].is_last_stop


# -- what they show ---------------------------------------------------------------------------


def test_the_nearest_stop_is_named() -> None:
    made = rows(
        order(1, stop=140), order(2, stop=147), order(3, OrderType.LIMIT, stop=None, limit=160)
    )
    held = made.positions[CON_ID]
    assert (held.stop_id, held.stop, held.target) == ("k7qav-2-single", Decimal(147), Decimal(160))
    trail = order(4, OrderType.TRAIL, stop=None)
    assert rows(trail).positions[CON_ID].stop_id == trail.order_id
    assert rows().positions[CON_ID].stop_id == ""


def test_the_price_step_is_that_of_the_contract() -> None:
    made = ScreenRows(lambda _: "")
    details = ContractDetails(contract=AAPL)
    made.follow(portfolio(), unknown)
    assert made.positions[CON_ID].tick is None
    made.follow(portfolio(), lambda _: details)
    assert made.positions[CON_ID].tick == Decimal("0.01")


@pytest.mark.parametrize(
    ("kind", "stop", "limit", "can"),
    [
        (OrderType.MARKET, None, None, (False, False)),
        (OrderType.LIMIT, None, 150, (True, False)),
        (OrderType.STOP, 140, None, (False, True)),
        (OrderType.STOP_LIMIT, 140, 139, (True, True)),
        (OrderType.LIMIT_IF_TOUCHED, 140, 139, (True, True)),
        (OrderType.TRAIL, 140, None, (False, False)),
        (OrderType.TRAIL_LIMIT, 140, 139, (False, False)),
    ],
)
def test_a_change_may_name_the_prices_that_the_type_has(
    kind: OrderType, stop: int | None, limit: int | None, can: tuple[bool, bool]
) -> None:
    one = order(1, kind, stop=stop, limit=limit)
    (row,) = rows(one).orders.values()
    assert (row.can_limit, row.can_stop) == can
    (strange,) = rows(msgspec.structs.replace(one, is_foreign=True)).orders.values()
    assert (strange.can_limit, strange.can_stop) == (False, False)


def test_what_is_under_way_is_told() -> None:
    one = order(1)
    wanted = msgspec.structs.replace(one.spec, stop_price=Decimal(147), quantity=Decimal(8))
    (row,) = rows(msgspec.structs.replace(one, desired=wanted)).orders.values()
    assert (row.is_pending, row.note, row.terms) == (True, "asked for 8 at 147.00", "145.00")
    (row,) = rows(order(1, status=OrderStatus.PENDING_CANCEL)).orders.values()
    assert row.is_pending
    (row,) = rows(order(1, status=OrderStatus.UNKNOWN)).orders.values()
    assert (row.is_unknown, row.is_pending) == (True, False)
    (row,) = rows(msgspec.structs.replace(one, reason="a\x1b[2Jb")).orders.values()
    assert row.note == "a[2Jb"


def test_rows_stand_by_group_and_strangers_last() -> None:
    def row(number: int, group: str) -> OrderRow:
        (made,) = rows(order(number)).orders.values()
        return msgspec.structs.replace(made, group=group)

    mixed = [row(3, "10"), row(9, "foreign-7"), row(1, "9"), row(2, "10")]
    assert [one.number for one in in_order(mixed)] == [1, 2, 3, 9]


async def test_a_real_bracket_is_shown_as_it_is() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk, made = Desk(trader), ScreenRows(lambda _: "bracket")
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        await desk.submit_order(request(limit="140.00"))
        made.follow(trader.portfolio, trader.outlook.details)
        by_role = {row.role: row for row in made.orders.values()}
        stop, target = by_role["stop"], by_role["target"]
        assert (stop.short, stop.group, stop.status) == ("1-stop", "1", stop.status)
        assert stop.is_last_stop
        assert stop.is_protective
        assert not target.is_last_stop
        held = made.positions[CON_ID]
        assert (held.stop_id, held.tick) == (stop.order_id, Decimal("0.01"))
        assert held.coverage == 1
        await desk.cancel_order(stop.order_id)
        made.follow(trader.portfolio, trader.outlook.details)
        assert stop.order_id not in made.orders
        assert made.positions[CON_ID].naked_since is not None
        trader.bus.publish(
            ev.CloseRequestEvent(
                at=START, group_id=GroupId("k7qav-9"), contract=AAPL, account="SIM0000001"
            )
        )
        made.follow(trader.portfolio, trader.outlook.details)
        assert made.positions[CON_ID].is_closing
