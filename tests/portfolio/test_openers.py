"""Which orders a halt takes back: all that could open, and none that protects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.openers import openers, oversized
from tests.risk.world import AAPL, MSFT, bracket, held, limit, portfolio, spec, stop, working

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order, Position


def names(*parts: Order | Position) -> list[str]:
    return [order.order_id for order in openers(portfolio(*parts))]


def test_of_a_bracket_it_is_the_entry_alone() -> None:
    assert names(*map(working, bracket().orders)) == ["t-1-entry"]


def test_of_a_bracket_that_filled_in_part_it_is_the_entry_and_never_its_exits() -> None:
    entry, target, protection = bracket().orders
    half = working(entry, OrderStatus.PARTIALLY_FILLED, 4)
    assert names(held(4), half, working(target), working(protection)) == ["t-1-entry"]
    # Even once the entry is gone, before its exits are cut to size.
    assert names(held(4), working(target), working(protection)) == []


def test_of_a_bracket_that_filled_it_is_nothing() -> None:
    _, target, protection = bracket().orders
    assert names(held(10), working(target), working(protection)) == []


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.PENDING,
        OrderStatus.UNKNOWN,
        OrderStatus.INACTIVE,
        OrderStatus.SUBMITTED,
        OrderStatus.PENDING_MODIFY,
    ],
)
def test_whatever_may_still_trade_counts(status: OrderStatus) -> None:
    assert names(working(limit("BUY", 5, "149"), status)) == ["t-1-single"]


def test_what_only_ends_what_is_held_stays() -> None:
    assert names(held(10), working(limit("SELL", 10, "155"))) == []
    assert names(held(-10), working(limit("BUY", 10, "145"))) == []


def test_what_could_turn_it_round_goes_unless_it_is_a_stop() -> None:
    assert names(held(10), working(limit("SELL", 11, "155"))) == ["t-1-single"]
    assert names(held(10), working(stop("SELL", 11, "145"))) == []


def kept(*parts: Order | Position) -> dict[str, int]:
    return {one.order.order_id: int(one.quantity) for one in oversized(portfolio(*parts))}


def test_a_stop_stays_as_far_as_there_is_something_to_end() -> None:
    large = working(stop("SELL", 50, "140"))
    assert (names(held(10), large), kept(held(10), large)) == ([], {"t-1-single": 10})
    assert kept(held(10), working(stop("SELL", 50, "140"), filled=20)) == {"t-1-single": 30}
    assert kept(held(-10), working(stop("BUY", 50, "160"))) == {"t-1-single": 10}
    assert kept(held(50), large) == {}
    assert (names(large), kept(large)) == (["t-1-single"], {})


def test_of_several_stops_the_nearest_stay_and_the_rest_goes() -> None:
    near = working(stop("SELL", 10, "145", "t-1-single"))
    far = working(stop("SELL", 10, "140", "t-2-single"))
    assert names(held(10), far, near) == ["t-2-single"]
    assert (names(held(15), far, near), kept(held(15), far, near)) == ([], {"t-2-single": 5})
    above = working(stop("BUY", 10, "160", "t-2-single"))
    below = working(stop("BUY", 10, "155", "t-1-single"))
    assert names(held(-10), above, below) == ["t-2-single"]
    trail = working(spec("SELL", 10, "t-3-single", order_type=OrderType.TRAIL, trail_amount="3"))
    assert names(held(10), trail, near) == ["t-3-single"]


def test_what_the_exits_of_a_group_end_leaves_less_for_other_stops() -> None:
    _, target, protection = bracket().orders
    exits = (working(target), working(protection))
    own = working(stop("SELL", 8, "144", "t-9-single"))
    assert names(held(10), *exits, own) == ["t-9-single"]
    assert (names(held(14), *exits, own), kept(held(14), *exits, own)) == ([], {"t-9-single": 4})
    theirs = working(stop("BUY", 10, "160", "t-8-stop", role=OrderRole.STOP))
    assert kept(held(14), theirs, own) == {}


def test_a_stop_that_enters_goes() -> None:
    assert names(working(stop("BUY", 5, "155"))) == ["t-1-single"]
    assert names(held(10), working(stop("BUY", 5, "155"))) == ["t-1-single"]


def test_of_two_that_exclude_each_other_both_go() -> None:
    legs = (
        working(limit(side, 5, at, f"t-1-single{n}", oca_group="g", oca_type="CANCEL"))
        for n, side, at in (("", "BUY", "145"), (".2", "SELL", "155"))
    )
    assert sorted(names(*legs)) == ["t-1-single", "t-1-single.2"]


def test_strangers_are_left_alone() -> None:
    assert names(working(limit("BUY", 5, "149"), is_foreign=True)) == []


def test_entries_come_before_what_hangs_from_them() -> None:
    child = limit("BUY", 5, "149", "t-1-single", parent_id="t-2-entry", contract=MSFT)
    parent = limit("BUY", 5, "149", "t-2-entry", contract=MSFT)
    assert names(working(child), working(parent)) == ["t-2-entry", "t-1-single"]


@given(
    position=st.integers(-20, 20),
    orders=st.lists(
        st.tuples(
            st.sampled_from(["BUY", "SELL"]),
            st.integers(1, 20),
            st.sampled_from(list(OrderRole)),
            st.sampled_from(["MARKET", "STOP"]),
        ),
        max_size=5,
    ),
)
def test_without_them_nothing_but_exits_can_lead_further_from_flat(
    position: int, orders: list[tuple[str, int, OrderRole, str]]
) -> None:
    made = [
        working(
            spec(
                side, size, f"t-{n}-single", role=role, order_type=kind,
                stop_price="100" if kind == "STOP" else None,
            )
        )
        for n, (side, size, role, kind) in enumerate(orders, 1)
    ]  # fmt: skip
    parts = ([held(position)] if position else []) + made
    gone = set(names(*parts))
    cut = {one.order.order_id: one.quantity for one in oversized(portfolio(*parts))}
    assert gone.isdisjoint(cut)
    left = [
        msgspec.structs.replace(
            one,
            spec=msgspec.structs.replace(
                one.spec, quantity=cut.get(one.order_id, one.spec.quantity)
            ),
        )
        for one in made
        if one.order_id not in gone and not one.spec.role.is_protective
    ]
    assert not [one for one in made if one.order_id in gone and one.spec.role.is_protective]
    after = ExposureIndex.of(portfolio(*parts[: len(parts) - len(made)], *left)).contract(AAPL)
    assert min(position, 0) <= after.shortest
    assert after.longest <= max(position, 0)
