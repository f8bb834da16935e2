"""How stops cover a position: what counts, what adds up, and what could trade beyond it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders.coverage import Coverage, at_work, clusters, coverage, remarks, wanted
from tests.orders.samples import later, order, spec, values

ENTRY = OrderId("memo-1-entry")


def stop(quantity: int = 10, name: str = "memo-1-stop", **changes: Any) -> Order:
    """Return a working stop that ends a long position."""
    terms: dict[str, Any] = {
        "order_id": OrderId(name),
        "role": OrderRole.STOP,
        "side": Side.SELL,
        "quantity": Decimal(quantity),
        "order_type": OrderType.STOP,
        "limit_price": None,
        "stop_price": Decimal(145),
        "time_in_force": TimeInForce.GTC,
    }
    return order(changes.pop("status", OrderStatus.PRESUBMITTED), **(terms | changes))


def target(quantity: int = 10, name: str = "memo-1-target", **changes: Any) -> Order:
    """Return a working limit that ends a long position."""
    limit = {"order_type": OrderType.LIMIT, "limit_price": Decimal(155), "stop_price": None}
    return stop(quantity, name, **({"role": OrderRole.TARGET} | limit | changes))


def entry(quantity: int = 10, filled: int = 0, **changes: Any) -> Order:
    """Return the entry of a long position that still works."""
    terms = {"order_id": ENTRY, "role": OrderRole.ENTRY, "quantity": Decimal(quantity)}
    return order(OrderStatus.SUBMITTED, filled=Decimal(filled), **(terms | changes))


def seen(found: Coverage) -> tuple[object, ...]:
    return found.covered, found.closing, found.surplus


@pytest.mark.parametrize(
    ("held", "orders", "expected"),
    [
        (10, [], (0, 0, 0)),
        (10, [stop()], (10, 10, 0)),
        (10, [stop(4)], (4, 4, 0)),
        (10, [stop(15)], (10, 15, 5)),
        (10, [stop(6, "a"), stop(4, "b")], (10, 10, 0)),
        (10, [stop(6, "a"), stop(6, "b")], (10, 12, 2)),
        (10, [stop(oca_group="x"), target(oca_group="x")], (10, 10, 0)),
        (10, [stop(), target()], (10, 20, 10)),
        (10, [stop(parent_id=ENTRY), target(parent_id=ENTRY)], (10, 10, 0)),
        (4, [entry(10, 4), stop(parent_id=ENTRY), target(parent_id=ENTRY)], (4, 10, 0)),
        (-10, [stop()], (0, 0, 0)),
        (-10, [stop(side=Side.BUY)], (10, 10, 0)),
        (0, [stop()], (0, 0, 0)),
    ],
)
def test_what_covers_and_what_is_too_much(
    held: int, orders: list[Order], expected: tuple[int, int, int]
) -> None:
    assert seen(coverage(Decimal(held), orders)) == expected


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"status": OrderStatus.PENDING}, "not confirmed"),
        ({"status": OrderStatus.UNKNOWN}, "not confirmed"),
        ({"status": OrderStatus.INACTIVE}, "set aside by the broker"),
        ({"held_for": "child"}, "waits (child)"),
        ({"held_for": "locate"}, "waits (locate)"),
    ],
)
def test_what_may_not_work_covers_nothing_and_may_still_trade(
    changes: dict[str, Any], remark: str
) -> None:
    one = stop(**changes)
    assert seen(coverage(Decimal(10), [one])) == (0, 10, 0)
    assert list(remarks(one)) == [remark]


def test_what_has_ended_counts_for_nothing() -> None:
    gone = stop(status=OrderStatus.CANCELLED)
    assert seen(coverage(Decimal(10), [gone])) == (0, 0, 0)
    assert wanted(gone) == 0


def test_a_stop_limit_beyond_its_limit_is_left_behind() -> None:
    terms: dict[str, Any] = {"order_type": OrderType.STOP_LIMIT, "limit_price": Decimal("144.50")}
    one = stop(**terms)
    for mark, covered in ((None, 10), ("146", 10), ("144.50", 10), ("144.49", 0)):
        at = Decimal(mark) if mark else None
        assert coverage(Decimal(10), [one], mark=at).covered == covered
    assert list(remarks(one, Decimal(144))) == ["left behind by the market"]
    short = stop(side=Side.BUY, **(terms | {"limit_price": Decimal(155)}))
    assert coverage(Decimal(-10), [short], mark=Decimal("155.01")).covered == 0


def test_a_stop_that_is_being_cancelled_works_until_it_is_gone() -> None:
    leaving = stop(status=OrderStatus.PENDING_CANCEL)
    assert coverage(Decimal(10), [leaving]).covered == 10
    assert values(wanted(leaving), at_work(leaving)) == (0, 10)
    assert list(remarks(leaving)) == ["being cancelled"]


def test_of_a_change_under_way_the_worse_terms_count() -> None:
    grown = stop(4, desired=spec(quantity=Decimal(10)), status=OrderStatus.PENDING_MODIFY)
    assert seen(coverage(Decimal(10), [grown])) == (4, 10, 0)
    cut = stop(10, desired=spec(quantity=Decimal(4)), status=OrderStatus.PENDING_MODIFY)
    assert seen(coverage(Decimal(10), [cut])) == (4, 10, 0)
    assert wanted(cut) == 4


def test_what_has_traded_of_a_stop_is_not_left() -> None:
    part = stop(10, filled=Decimal(3), status=OrderStatus.PARTIALLY_FILLED)
    assert seen(coverage(Decimal(7), [part])) == (7, 7, 0)


def test_remarks_tell_what_a_stop_is() -> None:
    assert list(remarks(stop())) == []
    told = remarks(stop(time_in_force=TimeInForce.DAY, is_foreign=True))
    assert list(told) == ["ends with the day", "not placed here"]
    assert list(remarks(target(time_in_force=TimeInForce.DAY))) == []
    assert list(remarks(stop(status=OrderStatus.CANCELLED))) == []


def test_an_order_that_lives_twice_counts_twice_and_its_second_is_the_newest() -> None:
    twin = stop(10, "twin-9", reference="k7qav-17-stop", broker_order_id=-7)
    found = coverage(Decimal(10), [stop(10), twin])
    assert found.covered == found.surplus == 10
    assert "is 17-stop a second time: one order, and it lives twice" in list(remarks(twin))
    first, second = clusters([stop(10), twin], [stop(10), twin])
    assert second.age > first.age


def test_a_cluster_knows_its_worst_its_wish_and_its_age() -> None:
    leaving = target(status=OrderStatus.PENDING_CANCEL, created_at=later(5), broker_order_id=7)
    (one,) = clusters([stop(6, oca_group="x"), _in(leaving, "x")], [])
    assert values(one.worst, one.wanted) == (10, 6)
    assert one.age == (later(5).timestamp(), 7)


def test_an_entry_on_the_exits_own_side_brings_nothing() -> None:
    wrong = entry(10, side=Side.SELL)
    assert seen(coverage(Decimal(10), [wrong, stop(15, parent_id=ENTRY)]))[2] == 15
    # ... but the entry itself sells beside it, and that is what the figure says.
    (one,) = clusters([stop(15, parent_id=ENTRY)], [wrong])
    assert one.entering == 0


def _in(one: Order, group: str) -> Order:
    return msgspec.structs.replace(one, spec=msgspec.structs.replace(one.spec, oca_group=group))


ANY_EXIT = st.builds(
    lambda quantity, status, is_stop, number: (stop if is_stop else target)(
        quantity, f"o{number}", status=status, oca_group="x" if number % 3 else ""
    ),
    st.integers(1, 30),
    st.sampled_from(list(OrderStatus)),
    st.booleans(),
    st.integers(0, 10**6),
)


@given(st.integers(-30, 30), st.lists(ANY_EXIT, max_size=6))
def test_never_more_than_all_is_covered_nor_more_than_could_trade(
    held: int, orders: list[Order]
) -> None:
    found = coverage(Decimal(held), orders)
    assert 0 <= found.covered <= abs(held)
    assert found.covered <= found.closing
    assert found.naked == abs(held) - found.covered
    assert found.surplus == max(0, found.closing - found.entering - abs(held))
    assert found.is_exact == (not found.naked and not found.surplus)
