"""What is taken away when exits could trade more than is held."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders.cover_surplus import cuts, excess
from ibkr_trader.orders.coverage import coverage
from tests.orders.samples import later, spec
from tests.orders.test_coverage import ENTRY, entry, stop, target


def cut(held: int, *orders: Order, exits: tuple[str, ...] = ()) -> dict[str, int]:
    """Return what is left of each order that is cut."""
    known = frozenset(OrderId(name) for name in exits)
    return {o.order_id: int(left) for o, left in cuts(Decimal(held), orders, known)}


def pair(quantity: int = 10, group: str = "x", **changes: object) -> tuple[Order, Order]:
    return (
        stop(quantity, f"{group}-stop", oca_group=group, **changes),
        target(quantity, f"{group}-target", oca_group=group, **changes),
    )


def test_what_fits_is_left_alone() -> None:
    assert cut(10, *pair()) == {}
    assert cut(0) == {}
    assert cut(10, stop(6, "a"), stop(4, "b")) == {}
    assert cut(4, entry(10, 4), stop(parent_id=ENTRY), target(parent_id=ENTRY)) == {}


def test_nothing_held_leaves_nothing() -> None:
    assert cut(0, *pair()) == {"x-stop": 0, "x-target": 0}
    assert cut(-5, *pair()) == {"x-stop": 0, "x-target": 0}
    assert cut(0, stop(side=Side.BUY)) == {"memo-1-stop": 0}


def test_a_part_held_leaves_a_part_of_each() -> None:
    assert cut(4, *pair()) == {"x-stop": 4, "x-target": 4}
    small = (stop(3, "s", oca_group="x"), target(10, "t", oca_group="x"))
    assert cut(4, *small) == {"t": 4}


def test_the_newest_goes_first() -> None:
    old, new = stop(10, "old", created_at=later(0)), stop(10, "new", created_at=later(9))
    assert cut(10, new, old) == {"new": 0}
    assert cut(4, new, old) == {"new": 0, "old": 4}


def test_stops_go_last_however_new_they_are() -> None:
    aim, guard = target(created_at=later(0)), stop(created_at=later(9))
    assert cut(10, aim, guard) == {"memo-1-target": 0}


def test_what_no_stop_stands_for_goes_before_any_stop() -> None:
    """A stop of 6 beside a target of 10, and one of 4: the target yields, not the stop."""
    first = (stop(6, "s", oca_group="x"), target(10, "t", oca_group="x"))
    extra = stop(4, "extra", created_at=later(9))
    assert cut(10, *first, extra) == {"t": 6}


def test_a_stop_that_does_not_work_protects_nothing_and_yields_first() -> None:
    aside = stop(10, "aside", status=OrderStatus.INACTIVE, created_at=later(0))
    assert cut(10, aside, stop(10, "works", created_at=later(9))) == {"aside": 0}


def test_what_is_leaving_or_shrinking_is_not_asked_again() -> None:
    assert cut(10, stop(10, "a"), stop(10, "b", status=OrderStatus.PENDING_CANCEL)) == {}
    shrinking = stop(10, desired=spec(quantity=Decimal(4)), status=OrderStatus.PENDING_MODIFY)
    assert cut(4, shrinking) == {}
    assert excess(Decimal(4), [shrinking]) == 6


def test_what_live_entries_bring_is_room() -> None:
    exits = (stop(parent_id=ENTRY), target(parent_id=ENTRY))
    assert cut(0, entry(10, 4), *exits) == {"memo-1-stop": 6, "memo-1-target": 6}
    assert excess(Decimal(0), [entry(10, 4), *exits]) == 4


def test_strangers_are_not_touched_and_not_counted() -> None:
    theirs = stop(10, "theirs", is_foreign=True, created_at=later(9))
    assert cut(10, stop(), theirs) == {}
    assert cut(0, theirs) == {}


def test_a_single_order_is_an_exit_only_if_it_is_known_as_one() -> None:
    one = stop(10, "plain", role=OrderRole.SINGLE)
    assert cut(0, one) == {}
    assert cut(0, one, exits=("plain",)) == {"plain": 0}


def test_a_closing_order_and_the_exits_do_not_share_their_room() -> None:
    close = stop(10, "close", role=OrderRole.CLOSE)
    assert cut(10, close, stop()) == {}
    assert cut(4, close) == {"close": 4}


def test_excess_counts_the_worst() -> None:
    leaving = stop(10, status=OrderStatus.PENDING_CANCEL)
    assert excess(Decimal(0), [leaving]) == 10
    assert excess(Decimal(0), []) == 0


def _after(orders: list[Order], held: Decimal) -> list[Order]:
    left = {o.order_id: size for o, size in cuts(held, orders)}
    found = []
    for one in orders:
        size = left.get(one.order_id, one.spec.quantity)
        if size:
            terms = msgspec.structs.replace(one.spec, quantity=size)
            found.append(msgspec.structs.replace(one, spec=terms))
    return found


EXITS = st.lists(
    st.tuples(
        st.integers(1, 20), st.booleans(), st.sampled_from(["", "x", "y"]), st.integers(0, 9)
    ),
    max_size=7,
)


@given(st.integers(-20, 20), EXITS)
def test_what_is_left_fits_and_covers_what_was_covered(
    held: int, shapes: list[tuple[int, bool, str, int]]
) -> None:
    """S7 and S8: never more than is held at rest, and never less covered than before."""
    size = Decimal(held)
    orders = [
        (stop if is_stop else target)(quantity, f"o{n}", oca_group=group, created_at=later(born))
        for n, (quantity, is_stop, group, born) in enumerate(shapes)
    ]
    after = _after(orders, size)
    assert excess(size, after) == 0
    assert cuts(size, after) == ()
    assert coverage(size, after).covered == coverage(size, orders).covered
