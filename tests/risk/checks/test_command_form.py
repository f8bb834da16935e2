from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    MSFT,
    bracket,
    held,
    judge,
    limit,
    modify,
    portfolio,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)


def words(command: SubmitOrders, world: Any = None) -> str:
    found = judge("command_form", command, world if world is not None else view())
    return " ".join(breach.message for breach in found)


def test_a_bracket_hangs_together() -> None:
    assert words(bracket()) == ""


def test_an_empty_command() -> None:
    empty = SubmitOrders(group_id=GroupId("t-1"), orders=())
    assert "no orders" in words(empty)
    assert reasons(review(empty, view())) == {"command_form"}


@pytest.mark.parametrize("when", ["now", "before", "once"])
def test_an_order_id_is_used_once_ever(when: str) -> None:
    order = spec()
    if when == "now":
        twin = msgspec.structs.replace(order, broker_order_id=7)
        assert "already in use" in words(submit(order, twin))
    else:
        closed = working(order, OrderStatus.CANCELLED)
        book = portfolio(working(order)) if when == "now" else portfolio(past=(closed,))
        assert "already in use" in words(submit(order), view(portfolio=book))


def test_so_is_a_broker_order_id() -> None:
    pair = submit(spec(order_id="t-1-a"), spec(order_id="t-1-b"))
    assert "broker order id 101" in words(pair)


def test_but_before_they_are_given_out_nobody_has_one() -> None:
    pair = [spec(order_id=f"t-1-{name}", broker_order_id=0) for name in "ab"]
    assert words(submit(*pair)) == ""


def test_the_orders_are_of_one_group() -> None:
    stranger = spec(order_id="t-2-b", broker_order_id=5)
    assert "another group" in words(submit(spec(), stranger))


@pytest.mark.parametrize(
    ("parent", "word"),
    [("t-1-entry", ""), ("t-9-entry", "does not work"), ("m-1-entry", "another contract")],
)
def test_an_exit_hangs_from_an_order_that_works(parent: str, word: str) -> None:
    entries = [
        working(limit("BUY", 10, "149", "t-1-entry")),
        working(limit("BUY", 10, "299", "m-1-entry", contract=MSFT)),
    ]
    exits = submit(stop("SELL", 10, "145", "t-1-stop", parent_id=OrderId(parent)))
    found = words(exits, view(*entries))
    assert word in found
    assert bool(found) is bool(word)


def test_an_exit_follows_its_entry() -> None:
    command = bracket()
    backwards = msgspec.structs.replace(command, orders=command.orders[::-1])
    assert "does not work" in words(backwards)


WORKING = stop("SELL", 10, "145")


@pytest.mark.parametrize(
    ("status", "foreign", "word"),
    [
        (OrderStatus.SUBMITTED, False, ""),
        (OrderStatus.PENDING_MODIFY, False, ""),
        (OrderStatus.SUBMITTED, True, "not placed here"),
        (OrderStatus.UNKNOWN, False, "nobody knows"),
        (OrderStatus.PENDING_CANCEL, False, "being cancelled"),
        (OrderStatus.FILLED, False, "no working order"),
    ],
)
def test_only_a_working_order_of_ours_is_changed(
    status: OrderStatus, word: str, *, foreign: bool
) -> None:
    order = working(WORKING, status, is_foreign=foreign)
    found = judge("command_form", modify(order, stop_price="146"), view(held(10), order))
    assert [word in breach.message for breach in found] == ([True] if word else [])


def test_an_order_that_nobody_knows() -> None:
    verdict = review(modify("t-7-single", quantity=5), view())
    assert reasons(verdict) == {"command_form"}


def test_a_change_that_changes_nothing() -> None:
    order = working(WORKING)
    world = view(held(10), order)
    for same in (modify(order), modify(order, stop_price="145.00")):
        assert "already has these terms" in judge("command_form", same, world)[0].message
    assert judge("command_form", modify(order, stop_price="146"), world) == []


def test_a_change_back_while_another_is_under_way_is_a_change() -> None:
    order = working(WORKING, OrderStatus.PENDING_MODIFY, desired=stop("SELL", 10, "146"))
    world = view(held(10), order)
    assert judge("command_form", modify(order, stop_price="145"), world) == []
    assert judge("command_form", modify(order, stop_price="146"), world)


EXIT: dict[str, Any] = {"oca_group": "t-1-x1", "oca_type": OcaType.REDUCE}


def grouped(*orders: OrderSpec, world: RiskView | None = None) -> list[str]:
    return [breach.message for breach in judge("command_form", submit(*orders), world or view())]


def test_the_orders_of_one_group_are_of_one_kind() -> None:
    low = stop("SELL", 10, "145", "t-1-stop", role=OrderRole.STOP, **EXIT)
    high = limit("SELL", 10, "155", "t-1-target", broker_order_id=102, role=OrderRole.TARGET)
    same = msgspec.structs.replace(high, **EXIT)
    other = msgspec.structs.replace(same, oca_type=OcaType.CANCEL)
    apart = msgspec.structs.replace(other, oca_group="t-1-x2")
    assert grouped(low, same) == grouped(low, apart) == grouped(low, high) == []
    (message,) = grouped(low, other)
    assert "as CANCEL, and t-1-stop is in it as REDUCE" in message
    assert grouped(other, world=view(held(10), working(low))) == [message]
    untold = working(msgspec.structs.replace(low, oca_type=None))
    assert grouped(other, world=view(held(10), untold)) == []


@pytest.mark.parametrize("first", ["entry", "exit"])
def test_an_entry_and_an_exit_are_never_alternatives(first: str) -> None:
    """When the entry trades, the position it adds to would lose its stop."""
    more = limit("BUY", 5, "149", "t-1-entry", role=OrderRole.ENTRY, broker_order_id=102, **EXIT)
    low = stop("SELL", 10, "145", "t-1-stop", role=OrderRole.STOP, **EXIT)
    orders = (more, low) if first == "entry" else (low, more)
    (message,) = grouped(*orders, world=view(held(10)))
    assert message.startswith("The entry t-1-entry and the exit t-1-stop are of one group")
    two = limit("SELL", 5, "160", "t-1-entry.2", role=OrderRole.ENTRY, **EXIT)
    assert grouped(more, two) == []
