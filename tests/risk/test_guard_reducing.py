"""What only lowers risk goes out even while the desk reduces, whatever kind of order it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ibkr_trader.core.commands import Command
from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, TradingState
from ibkr_trader.core.models import Adjustment, Order, OrderSpec
from ibkr_trader.risk.verdict import Approved
from tests.risk.world import (
    NOW,
    D,
    held,
    limit,
    modify,
    reasons,
    review,
    spec,
    submit,
    view,
    working,
)

T = OrderType
EXITS: dict[str, Any] = {"oca_group": "t-1-exits", "oca_type": OcaType.REDUCE}
LATER = NOW + timedelta(hours=5)


def exit_(kind: OrderType, role: OrderRole = OrderRole.STOP, **terms: Any) -> OrderSpec:
    size = terms.pop("size", 10)
    number = terms.pop("number", 101)
    return spec(
        "SELL", size, f"t-1-{role}", role=role, order_type=kind, broker_order_id=number,
        **(EXITS | terms),
    )  # fmt: skip


TARGET = exit_(T.LIMIT, OrderRole.TARGET, limit_price="155", number=102)
TIMED = exit_(T.MARKET, OrderRole.TIMED, good_after=LATER, number=103)
TRAIL = exit_(T.TRAIL, trail_percent="2")
STOP = exit_(T.STOP, stop_price="145")
TO_TRAIL = Adjustment(
    trigger=D(155), order_type=T.TRAIL, stop_price=D(152), trail_amount=D(3)
)  # fmt: skip


def verdict(command: Command, *parts: Any) -> set[str] | None:
    """Return why a command is denied while the desk reduces; None if it goes out as reducing."""
    found = review(command, view(*parts, trading_state=TradingState.REDUCING))
    if isinstance(found, Approved):
        assert found.reduces
        return None
    return reasons(found)


PROTECTION: list[tuple[OrderSpec, ...]] = [
    (STOP,),
    (STOP, TARGET),
    (STOP, TARGET, TIMED),
    (TRAIL, TARGET),
    (exit_(T.TRAIL_LIMIT, trail_amount="3", stop_price="147", limit_price="146.5"),),
    (exit_(T.STOP, stop_price="145", adjustment=TO_TRAIL), TIMED),
    (exit_(T.STOP_LIMIT, stop_price="145", limit_price="144"),),
    (exit_(T.MARKET_IF_TOUCHED, OrderRole.TARGET, stop_price="155"),),
    (
        exit_(
            T.LIMIT_IF_TOUCHED, OrderRole.TARGET, stop_price="155", limit_price="154", number=102
        ),
        STOP,
    ),
]


@pytest.mark.parametrize("orders", PROTECTION)
def test_protection_of_what_is_held_goes_out(orders: tuple[OrderSpec, ...]) -> None:
    assert verdict(submit(*orders, reduces=True), held(10)) is None
    assert verdict(submit(*orders), held(10)) is None, "and needs no claim"


@pytest.mark.parametrize("orders", PROTECTION)
def test_of_what_is_not_held_it_opens(orders: tuple[OrderSpec, ...]) -> None:
    found = verdict(submit(*orders, reduces=True), held(9))
    assert found is not None
    assert {"reduce_only", "trading_state"} <= found


def test_exits_that_do_not_end_each_other_are_too_many() -> None:
    apart = limit("SELL", 10, "155", "t-1-target", role=OrderRole.TARGET, broker_order_id=102)
    found = verdict(submit(STOP, apart, reduces=True), held(10))
    assert found is not None
    assert "reduce_only" in found


def test_beside_other_exits_only_the_rest_can_be_closed() -> None:
    """In the worst case of all closers together the position never flips."""
    world = [held(10), working(STOP), working(TARGET)]
    assert verdict(submit(spec("SELL", 1, "t-2-close", role=OrderRole.CLOSE)), *world) is not None
    smaller = [held(10), working(exit_(T.STOP, stop_price="145", size=9))]
    assert verdict(submit(spec("SELL", 1, "t-2-close", role=OrderRole.CLOSE)), *smaller) is None


WORKING: list[Order | Any] = [held(10), working(STOP), working(TARGET)]


@pytest.mark.parametrize(
    ("change", "is_less_risk"),
    [
        (modify("t-1-stop", stop_price="147"), True),  # tighter
        (modify("t-1-stop", stop_price="144"), False),  # wider
        (modify("t-1-stop", quantity=6), True),
        (modify("t-1-target", limit_price="152"), True),
        (modify("t-1-target", limit_price="158"), True),  # a target protects nothing
        (modify("t-1-stop", quantity=11), False),
    ],
)
def test_a_stop_may_be_tightened_and_a_target_moved(change: Command, *, is_less_risk: bool) -> None:
    assert (verdict(change, *WORKING) is None) is is_less_risk


@pytest.mark.parametrize(("amount", "is_less_risk"), [("2", True), ("4", False)])
def test_a_trail_may_be_tightened(amount: str, *, is_less_risk: bool) -> None:
    trail = working(exit_(T.TRAIL, trail_amount="3", stop_price="147"))
    assert (verdict(modify(trail, trail_amount=amount), held(10), trail) is None) is is_less_risk


def test_a_person_may_widen_a_stop_while_the_desk_is_active_and_it_is_judged() -> None:
    """Widening is more risk: it goes out, but not as a command that only lowers it."""
    found = review(modify("t-1-stop", stop_price="140"), view(*WORKING))
    assert isinstance(found, Approved)
    assert not found.reduces
    assert reasons(review(modify("t-1-stop", stop_price="14"), view(*WORKING))) == {
        "risk_per_trade",
        "stop_side",
    }


def test_the_exits_of_a_scale_in_grow_after_its_fill_and_not_before() -> None:
    scale = working(spec("BUY", 5, "t-1-entry.2", role=OrderRole.ENTRY))
    before = [held(10), working(STOP), working(TARGET), scale]
    assert verdict(modify("t-1-stop", quantity=15), *before) is not None
    after = [held(15), working(STOP), working(TARGET)]
    for name in ("t-1-stop", "t-1-target"):
        assert verdict(modify(name, quantity=15), *after) is None


def test_entries_that_cancel_each_other_count_for_one_of_them_each_way() -> None:
    pair: dict[str, Any] = {"oca_group": "t-1", "oca_type": OcaType.CANCEL}
    low = limit("BUY", 10, "145", "t-1-entry", **pair)
    high = limit("SELL", 10, "155", "t-1-entry.2", **(pair | {"broker_order_id": 102}))
    world = view()
    assert isinstance(review(submit(low, high, without_stop=True), world), Approved)
    both = view(working(low), working(high)).exposure.contracts[1]
    assert (both.longest, both.shortest) == (D(10), D(-10))
