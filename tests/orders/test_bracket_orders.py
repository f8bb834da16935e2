"""A bracket from request to orders, and what becomes of it."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import PriceBand
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.group import Setting
from tests.orders.bracket_requests import (
    ENTRY,
    STOP,
    TARGET,
    bracket,
    entry,
    request,
    short,
    target,
    trailing,
)
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    GROUP,
)

SOUND = [
    request(),
    short(),
    request(exit_time_in_force=TimeInForce.DAY),
    request(take_profit=()),
    request(take_profit=(target("155", 6), target("160", 4))),
    request(take_profit=(target("155", 6),)),
    trailing(trail_percent=Decimal(2)),
    msgspec.structs.replace(
        trailing(trail_amount=Decimal(3)),
        parent=entry(order_type=OrderType.LIMIT, limit_price=Decimal(150)),
    ),
]
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
        "the stop loss must be a stop or a trailing stop, not LIMIT",
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
    "targets beyond the entry": (
        request(take_profit=(target("155", 6), target("160", 5))),
        "the take profits' quantities 6 + 5 must be within the entry's 10",
    ),
    "one target beyond the entry": (
        request(take_profit={"quantity": Decimal(11)}),
        "the take profit's quantity 11 must be within the entry's 10",
    ),
    "a second target below the stop": (
        request(take_profit=(target("155", 5), target("144", 5))),
        "the stop loss 145 must be below the take profit 144",
    ),
    "too many targets": (
        request(take_profit=tuple(target(str(155 + n), 1) for n in range(6))),
        "at most 5 take profits, not 6",
    ),
    "a trail with two widths": (
        trailing(trail_amount=Decimal(3), trail_percent=Decimal(2)),
        "stop loss: a TRAIL order needs one of a trail amount and a trail percent",
    ),
    "a trail as wide as the price": (
        msgspec.structs.replace(
            trailing(trail_amount=Decimal(150)),
            parent=entry(order_type=OrderType.LIMIT, limit_price=Decimal(150)),
        ),
        "a trail of 150 is no stop for an entry at 150",
    ),
    "a trail on the entry's side": (
        trailing(trail_amount=Decimal(3), side=Side.BUY),
        "the stop loss must be on the other side: SELL, not BUY",
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


def test_each_of_several_targets_stands_beside_a_stop_of_its_own_size() -> None:
    """In an OCA group of the two, which reduce each other: they are exits of one position."""
    asked = request(take_profit=(target("155", 6), target("160", 4)))
    parent, *exits = bracket(asked).open().orders
    assert [one.order_id.removeprefix("memo-1-") for one in exits] == [
        "target", "stop", "target.2", "stop.2",
    ]  # fmt: skip
    assert [one.quantity for one in exits] == [6, 6, 4, 4]
    assert [one.oca_group for one in exits] == ["memo-1-x1"] * 2 + ["memo-1-x2"] * 2
    assert {one.oca_type for one in exits} == {OcaType.REDUCE}
    assert {one.parent_id for one in exits} == {parent.order_id}
    assert [one.limit_price or one.stop_price for one in exits] == [155, 145, 160, 145]


def test_it_names_what_it_trades() -> None:
    assert request().symbol == "AAPL"


def test_what_no_target_takes_has_a_stop_of_its_own() -> None:
    group = bracket(request(take_profit=(target("155", 6),)))
    _, *exits = group.open().orders
    assert [(one.role, one.quantity, one.oca_group) for one in exits] == [
        (OrderRole.TARGET, Decimal(6), "memo-1-x1"),
        (OrderRole.STOP, Decimal(6), "memo-1-x1"),
        (OrderRole.STOP, Decimal(4), ""),
    ]
    assert group.shares == (Decimal(6), Decimal(4))


def test_a_bracket_may_have_no_target() -> None:
    _, stop = bracket(request(take_profit=())).open().orders
    assert (stop.role, stop.quantity, stop.oca_group) == (OrderRole.STOP, Decimal(10), "")


def test_a_trail_may_be_the_stop() -> None:
    *_, stop = bracket(trailing(trail_percent=Decimal(2))).open().orders
    assert (stop.order_type, stop.trail_percent, stop.parent_id) == (
        OrderType.TRAIL, Decimal(2), ENTRY,
    )  # fmt: skip
    assert stop.time_in_force is TimeInForce.GTC


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
    group = asked.group(Setting(GROUP, AAPL, ACCOUNT, bands))
    _, target, stop = group.open().orders
    assert (target.limit_price, stop.stop_price) == (Decimal("155.00"), Decimal("145.01"))
