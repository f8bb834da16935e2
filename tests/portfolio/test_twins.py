"""Two live orders under one name of ours: the second is an order of its own, and is told."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.ids import twin_id
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderSpec
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.portfolio.twins import apart, can_end, named, told, twins
from tests.orders.samples import AT, order, spec

STOP = spec(OrderRole.STOP, group=GroupId("k7qav-17"))
TWIN = twin_id(9)


def at_broker(what: OrderSpec, perm_id: int) -> Order:
    return Order(spec=what, status=OrderStatus.SUBMITTED, perm_id=perm_id)


def test_a_twin_has_an_id_of_its_own_and_the_role_of_what_it_doubles() -> None:
    twin = named(STOP, TWIN)
    assert (twin.order_id, twin.group_id, twin.role) == ("twin-9", "twin-9", OrderRole.STOP)
    assert twin.reference == STOP.order_id
    assert named(twin, TWIN) == twin
    assert named(twin, STOP.order_id) == STOP


def test_a_name_of_anybody_elses_is_only_a_name() -> None:
    odd = msgspec.structs.replace(STOP, order_id=OrderId("by hand"), role=OrderRole.SINGLE)
    assert named(odd, TWIN).role is OrderRole.SINGLE
    renamed = named(STOP, OrderId("by hand"))
    assert renamed == msgspec.structs.replace(STOP, order_id=OrderId("by hand"))
    twin = named(STOP, TWIN)
    assert named(twin, OrderId("by hand")).group_id == twin.group_id


def test_of_two_that_nobody_knew_the_first_keeps_the_name() -> None:
    first, second = at_broker(STOP, 5), at_broker(STOP, 9)
    found = apart([first, second])
    assert [one.order_id for one in found] == [STOP.order_id, TWIN]
    assert found[0] is first


@pytest.mark.parametrize("perm_id", [0, 5])
def test_what_is_told_twice_or_without_a_permanent_id_is_no_other_order(perm_id: int) -> None:
    found = apart([at_broker(STOP, 5), at_broker(STOP, perm_id)])
    assert [one.order_id for one in found] == [STOP.order_id] * 2


def test_every_twin_is_told_with_what_it_doubles() -> None:
    orders = [at_broker(STOP, 5), at_broker(named(STOP, TWIN), 9)]
    assert twins(orders) == (orders[1],)
    (drift,) = told(orders, AT)
    assert (drift.subject, drift.ours, drift.needs_look) == (STOP.order_id, "one order", True)
    assert drift.theirs == "another with permId 9, which would trade as well"
    assert PortfolioState().drift == {}
    assert orders[1].remaining == Decimal(10)


@pytest.mark.parametrize(
    ("number", "client_id", "can"),
    [(900, 7, True), (900, 8, False), (-7, 8, True), (0, 7, False)],
)
def test_it_is_ended_by_a_number_that_can_mean_nothing_else(
    number: int, client_id: int, can: bool
) -> None:
    assert can_end(order(broker_order_id=number, client_id=client_id), 7) is can
