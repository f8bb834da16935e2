"""A bracket as it stands, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderStatus, Side, TimeInForce
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.bracket_orders import Bracket, BracketOrderRequest
from ibkr_trader.orders.group import ORDER_TYPES
from tests.orders.bracket_requests import ENTRY, STOP, TARGET, bracket, request, target
from tests.orders.samples import AT, GROUP, accepted, fill, filled, later, working, written


def test_a_restart_finds_the_legs_again() -> None:
    """Also after a scale-in and a stop put back: those are not of the opening."""
    asked = request(take_profit=(target("155", 6), target("160", 4)))
    opened = bracket(asked)
    joined = [
        msgspec.structs.replace(opened.entry.spec, order_id=OrderId("memo-1-entry.2")),
        msgspec.structs.replace(
            opened.exits[1].spec, order_id=OrderId("memo-1-stop.3"), parent_id=None
        ),
    ]
    rebuilt = ORDER_TYPES["bracket"](GROUP, (*opened.open().orders, *joined), {})
    assert rebuilt == opened
    for one in joined:
        rebuilt = rebuilt.react(written(one, kind="bracket")).group
    assert isinstance(rebuilt, Bracket)
    assert [order.order_id for order in rebuilt.entries] == [ENTRY, "memo-1-entry.2"]
    assert "memo-1-stop.3" in [order.order_id for order in rebuilt.parts()[0].orders]


def test_what_to_mind_is_noted() -> None:
    assert bracket().notes == ()
    assert bracket(request(take_profit=())).notes == ()
    assert bracket(request(exit_time_in_force=TimeInForce.DAY)).notes == (
        "The stop lasts for the day: what is held overnight will have none.",
    )
    assert bracket(request(take_profit=(target("155", 6),))).notes == (
        "4 have no target: their stop ends them.",
    )


def live(asked: BracketOrderRequest | None = None) -> Bracket:
    """Return a bracket that the broker has accepted."""
    group = bracket(asked)
    for one in group.open().orders:
        group = play(group, written(one, kind="bracket"), accepted(one))
    return group


def play(group: Bracket, *events: ev.BaseEvent, expect: tuple[object, ...] = ()) -> Bracket:
    """Return the group after `events`, and check that exactly `expect` was asked for."""
    asked: list[object] = []
    for event in events:
        step = group.react(event)
        assert isinstance(step.group, Bracket)
        group = step.group
        asked += step.commands
    assert asked == list(expect)
    return group


def bought(quantity: int, key: str = "e1") -> ev.FillEvent:
    return filled(fill(quantity, key=key, order_id=ENTRY))


def sold(quantity: int, order_id: OrderId, price: str = "155", key: str = "x1") -> ev.FillEvent:
    return filled(fill(quantity, price, key=key, order_id=order_id, side=Side.SELL))


def cancel(order_id: OrderId) -> CancelOrder:
    return CancelOrder(order_id=order_id, origin="bracket")


def cancelled(order_id: OrderId) -> ev.CancelEvent:
    return ev.CancelEvent(at=AT, order_id=order_id, reason="202")


def rejected(order_id: OrderId) -> ev.RejectEvent:
    return ev.RejectEvent(at=AT, order_id=order_id, code=201, reason="margin")


def test_an_ordinary_life_needs_nothing_of_us() -> None:
    group = play(live(), bought(10), working(TARGET), working(STOP, is_working=False))
    assert group.held == 10
    group = play(group, cancelled(STOP))
    step = group.react(sold(10, TARGET))
    assert step.commands == ()
    assert step.group.is_closed
    assert [event.message for event in step.events if isinstance(event, ev.GroupEvent)] == [
        "AAPL is over: 10 in and out again"
    ]


def test_bracket_order_parent_rejection() -> None:
    """A refused entry takes its exits with it, whatever the broker does about them."""
    group = play(live(), rejected(ENTRY), expect=(cancel(TARGET), cancel(STOP)))
    assert not group.is_closed
    group = play(group, cancelled(TARGET), cancelled(STOP))
    assert group.is_closed


def test_a_cancelled_entry_takes_its_exits_with_it() -> None:
    """A moment later: the broker does it by itself, and a last execution may still be told."""
    group = play(live(), cancelled(ENTRY))
    moment = ev.TimeEvent(at=later(2))
    group = play(group, moment, expect=(cancel(TARGET), cancel(STOP)))
    assert not play(group, cancelled(TARGET)).is_closed
    late = play(live(), cancelled(ENTRY), bought(10), moment)
    assert late.held == 10


def test_bracket_order_partial_fill() -> None:
    """Four of ten, and the rest cancelled: the exits come down to the four."""
    group = play(live(), bought(4))  # the entry still works: the exits stay as they are
    group = play(
        group,
        cancelled(ENTRY),
        expect=(
            ModifyOrder(order_id=TARGET, quantity=Decimal(4), origin="bracket"),
            ModifyOrder(order_id=STOP, quantity=Decimal(4), origin="bracket"),
        ),
    )
    assert group.held == 4
    smaller = [msgspec.structs.replace(o.spec, quantity=Decimal(4)) for o in group.exits]
    group = play(group, *(accepted(one) for one in smaller), cancelled(STOP))
    assert play(group, sold(4, TARGET)).is_closed


def test_what_is_denied_asks_for_nothing() -> None:
    """All three are ours to refuse: nothing was sent, so nothing is cancelled."""
    group = bracket()
    for one in group.open().orders:
        denied = ev.DenyEvent(at=AT, order_id=one.order_id, breaches=(), spec=one)
        group = play(group, denied)
    assert group.is_closed


def test_a_bracket_is_rebuilt_from_its_orders() -> None:
    group = live()
    specs = tuple(order.spec for order in bracket().orders.values())
    rebuilt = ORDER_TYPES["bracket"](GROUP, specs, {})
    for one in specs:
        for event in (written(one, kind="bracket"), accepted(one)):
            step = rebuilt.react(event)
            rebuilt = step.group
    assert rebuilt == group


def test_news_of_other_orders_changes_nothing() -> None:
    group = live()
    other = working("memo-2-single")
    step = group.react(other)
    assert step.group is group
    assert (step.commands, step.events) == ((), ())


def test_its_orders_are_told_apart() -> None:
    group = live()
    assert group.entry.order_id == ENTRY
    assert [order.order_id for order in group.exits] == [TARGET, STOP]
    assert {order.status for order in group.orders.values()} == {OrderStatus.PRESUBMITTED}
