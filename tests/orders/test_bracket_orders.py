"""A bracket from request to orders, and what becomes of it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderId, OrderRequest, PriceBand
from ibkr_trader.orders.bracket_orders import Bracket, BracketOrderRequest
from ibkr_trader.orders.group import ORDER_TYPES, Setting
from tests.orders.samples import AAPL, ACCOUNT, AT, GROUP, accepted, fill, filled, working, written

ENTRY, TARGET, STOP = (OrderId(f"memo-1-{role}") for role in ("entry", "target", "stop"))


def entry(**changes: Any) -> OrderRequest:
    known: dict[str, Any] = {"symbol": "AAPL", "quantity": Decimal(10), "side": Side.BUY}
    return OrderRequest(**(known | changes))


def request(**changes: Any) -> BracketOrderRequest:
    """Return a sound long bracket at the market, changed by `changes` to its parts."""
    leave: dict[str, Any] = {"side": Side.SELL}
    parts: dict[str, Any] = {
        "parent": entry(),
        "stop_loss": entry(order_type=OrderType.STOP, stop_price=Decimal(145), **leave),
        "take_profit": entry(order_type=OrderType.LIMIT, limit_price=Decimal(155), **leave),
    }
    for name, change in changes.items():
        is_part = name in parts and isinstance(change, dict)
        parts[name] = msgspec.structs.replace(parts[name], **change) if is_part else change
    return BracketOrderRequest(**parts)


def short(limit: str = "150") -> BracketOrderRequest:
    """Return a sound short bracket with a limit entry."""
    return request(
        parent={"side": Side.SELL, "order_type": OrderType.LIMIT, "limit_price": Decimal(limit)},
        stop_loss={"side": Side.BUY, "stop_price": Decimal(155)},
        take_profit={"side": Side.BUY, "limit_price": Decimal(145)},
    )


def bracket(asked: BracketOrderRequest | None = None) -> Bracket:
    return Bracket.create(asked or request(), Setting(GROUP, AAPL, ACCOUNT))


SOUND = [request(), short(), request(exit_time_in_force=TimeInForce.DAY)]
LIMIT = {"order_type": OrderType.LIMIT}
WRONG: dict[str, tuple[BracketOrderRequest, str]] = {
    "stop on the entry's side": (
        request(stop_loss={"side": Side.BUY}),
        "the stop loss must be on the other side: SELL, not BUY",
    ),
    "target on the entry's side": (
        request(take_profit={"side": Side.BUY}),
        "the take profit must be on the other side: SELL, not BUY",
    ),
    "stop above the target": (
        request(stop_loss={"stop_price": Decimal(156)}),
        "the stop loss 156 must be below the take profit 155",
    ),
    "stop above the entry": (
        request(parent={**LIMIT, "limit_price": Decimal(144)}),
        "the stop loss 145 must be below the entry 144",
    ),
    "target below the entry": (
        request(parent={**LIMIT, "limit_price": Decimal(160)}),
        "the take profit 155 must be above the entry 160",
    ),
    "a short's stop below the entry": (
        short(limit="156"),
        "the stop loss 155 must be above the entry 156",
    ),
    "quantities differ": (
        request(stop_loss={"quantity": Decimal(11)}),
        "the stop loss's quantity 11 must be the entry's 10",
    ),
    "symbols differ": (
        request(take_profit={"symbol": "MSFT"}),
        "the take profit is for MSFT, the entry for AAPL",
    ),
    "accounts differ": (
        request(stop_loss={"account": "SIM0000002"}),
        "the stop loss must be for the same account",
    ),
    "a stop as entry": (
        request(parent={"order_type": OrderType.STOP, "stop_price": Decimal(150)}),
        "the entry must be a market or limit order, not STOP",
    ),
    "a limit as stop": (
        request(stop_loss={**LIMIT, "limit_price": Decimal(145), "stop_price": None}),
        "the stop loss must be a stop order, not LIMIT",
    ),
    "a market order as target": (
        request(take_profit={"order_type": OrderType.MARKET, "limit_price": None}),
        "the take profit must be a limit order, not MARKET",
    ),
    "exits at once": (
        request(exit_time_in_force=TimeInForce.IOC),
        "the exits must be DAY or GTC, not IOC",
    ),
    "a price below zero": (
        request(stop_loss={"stop_price": Decimal(-1)}),
        "stop loss: the stop price must be a price above zero, not -1",
    ),
    "no number": (
        request(stop_loss={"stop_price": Decimal("NaN")}),
        "stop loss: the stop price must be a price above zero, not NaN",
    ),
    "a quantity of zero": (
        request(parent={"quantity": Decimal(0)}),
        "entry: the quantity must be 1 or more, not 0",
    ),
    "a stop without its price": (
        request(stop_loss={"stop_price": None}),
        "stop loss: a STOP order needs a stop price",
    ),
}


@pytest.mark.parametrize("asked", SOUND)
def test_a_sound_bracket_is_valid(asked: BracketOrderRequest) -> None:
    asked.validate()


@pytest.mark.parametrize("name", WRONG)
def test_bracket_order_validation(name: str) -> None:
    asked, words = WRONG[name]
    with pytest.raises(ValueError, match=re.escape(words)):
        asked.validate()
    with pytest.raises(ValueError, match=re.escape(words)):
        bracket(asked)


def test_every_fault_is_named_at_once() -> None:
    asked = request(
        parent={"quantity": Decimal(0)},
        stop_loss={"stop_price": Decimal(160)},
        take_profit={"symbol": "MSFT"},
    )
    with pytest.raises(ValueError, match=r"quantity.*MSFT.*below the take profit"):
        asked.validate()


def test_bracket_order_parent_child() -> None:
    """Entry, target, stop, in this order; the exits hang from the entry and outlive the day."""
    command = bracket().open()
    parent, target, stop = command.orders
    assert [one.order_id for one in command.orders] == [ENTRY, TARGET, STOP]
    assert [one.role for one in command.orders] == [
        OrderRole.ENTRY, OrderRole.TARGET, OrderRole.STOP,
    ]  # fmt: skip
    assert (parent.parent_id, target.parent_id, stop.parent_id) == (None, ENTRY, ENTRY)
    assert (parent.time_in_force, target.time_in_force, stop.time_in_force) == (
        TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC,
    )  # fmt: skip
    assert target.limit_price == 155
    assert stop.stop_price == 145
    assert {one.account for one in command.orders} == {ACCOUNT}
    assert {one.contract for one in command.orders} == {AAPL}
    assert {one.group_id for one in command.orders} == {GROUP}
    assert (command.group_id, command.kind) == (GROUP, "bracket")


def test_exits_for_the_day_are_for_the_day() -> None:
    orders = bracket(request(exit_time_in_force=TimeInForce.DAY)).open().orders
    assert {one.time_in_force for one in orders} == {TimeInForce.DAY}


def test_an_account_of_the_request_is_kept_for_the_guard() -> None:
    other = {"account": "SIM0000002"}
    asked = request(parent=other, stop_loss=other, take_profit=other)
    assert {one.account for one in bracket(asked).open().orders} == {"SIM0000002"}


def test_prices_are_made_legal_when_the_steps_are_known() -> None:
    asked = request(
        stop_loss={"stop_price": Decimal("145.001")},
        take_profit={"limit_price": Decimal("154.999")},
    )
    bands = (PriceBand(Decimal(0), Decimal("0.01")),)
    group = Bracket.create(asked, Setting(GROUP, AAPL, ACCOUNT, bands))
    _, target, stop = group.open().orders
    assert (target.limit_price, stop.stop_price) == (Decimal("155.00"), Decimal("145.01"))


# -- its life -----------------------------------------------------------------------------


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
    play(live(), cancelled(ENTRY), expect=(cancel(TARGET), cancel(STOP)))


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
