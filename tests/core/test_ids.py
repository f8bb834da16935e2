"""The ids of orders and groups, and the broker's numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import (
    FOREIGN,
    MAX_BROKER_ORDER_ID,
    epoch_in,
    epoch_of,
    family_named,
    group_number,
    is_family,
    is_install,
    is_our_group,
    is_ours,
    is_reached,
    is_reference,
    is_twin,
    make_group_id,
    make_order_id,
    next_broker_order_ids,
    parse_order_id,
    short_id,
    twin_id,
)
from ibkr_trader.core.models import GroupId


@given(
    st.from_regex(r"[a-z][a-z2-7]{3,11}", fullmatch=True).filter(lambda text: text != FOREIGN),
    st.integers(1, 10**15 - 1),  # what fits into an orderRef with the longest role
    st.sampled_from(OrderRole),
    st.integers(1, 99),
)
def test_an_id_says_what_it_was_made_of(
    install: str, number: int, role: OrderRole, copy: int
) -> None:
    group = make_group_id(install, number)
    order = make_order_id(group, role, copy=copy)
    parts = parse_order_id(order)
    assert parts == (install, number, role, copy)
    assert parts is not None
    assert parts.group_id == group
    assert is_reference(order)
    assert is_ours(order, install)
    assert group_number(order, install) == group_number(group, install) == number
    assert short_id(order) == order.removeprefix(f"{install}-")


def test_ids_read_as_they_should() -> None:
    group = make_group_id("k7qav", 17)
    assert group == "k7qav-17"
    assert make_order_id(group, OrderRole.STOP) == "k7qav-17-stop"
    assert make_order_id(group, OrderRole.STOP, copy=2) == "k7qav-17-stop.2"
    assert short_id("k7qav-17") == "17"
    assert short_id("foreign-9001") == "foreign-9001"
    assert short_id("anything else") == "anything else"


@pytest.mark.parametrize(
    ("install", "number"),
    [
        ("", 1),
        ("abc", 1),
        ("7abcd", 1),
        ("Abcd", 1),
        ("abc1", 1),
        ("abcd", 0),
        ("abcd", -1),
        ("foreign", 1),
    ],
)
def test_a_group_id_is_not_made_of_anything(install: str, number: int) -> None:
    with pytest.raises(ValueError, match="group id"):
        make_group_id(install, number)


@pytest.mark.parametrize("copy", [0, -1, 100])
def test_there_are_not_so_many_copies(copy: int) -> None:
    with pytest.raises(ValueError, match="order id"):
        make_order_id(GroupId("memo-1"), OrderRole.STOP, copy=copy)


def test_an_order_needs_a_group() -> None:
    with pytest.raises(ValueError, match="order id"):
        make_order_id(GroupId("memo"), OrderRole.STOP)


@pytest.mark.parametrize(
    "text",
    [
        "", "memo-1", "memo-1-", "memo-1-nothing", "memo-0-stop", "memo-01-stop", "memo-1-stop.1",
        "memo-1-stop.02", "memo-1-stop ", "memo-1-stop\n", "mem0-1-stop", "-1-stop",
        "memo-\u0661-stop", "memo-1-STOP", f"memo-{10**18}-stop",
    ],
)  # fmt: skip
def test_what_is_no_order_id_of_ours(text: str) -> None:
    assert parse_order_id(text) is None
    assert not is_ours(text, "memo")


def test_another_installation_is_not_ours() -> None:
    assert not is_ours("memo-1-stop", "memos")
    assert group_number("memo-1-stop", "memos") == 0
    assert group_number("other", "other") == 0
    assert group_number("memo-12x", "memo") == 0


def test_a_family_knows_its_orders_and_counts_its_own() -> None:
    mine, theirs = "k7qavab2c", "k7qavzz2z"
    assert is_family(mine, theirs)
    assert is_ours(f"{theirs}-3-stop", mine)
    assert is_our_group(f"{theirs}-3", mine)
    assert is_our_group(f"{theirs}-3-stop", mine)
    assert group_number(f"{theirs}-3", mine) == 0
    assert not is_ours("k7qaw-3-stop", mine)
    assert not is_our_group("k7qaw-3", mine)
    assert not is_our_group(f"{theirs}-3x", mine)
    assert not is_our_group("1258974001", mine)


def test_a_host_that_traded_before_is_the_family_of_those_that_join_it() -> None:
    assert is_ours("k7qav-3-stop", "k7qavzz2z")
    assert is_ours("k7qavzz2z-3-stop", "k7qav")


def test_a_name_has_its_family_on_every_machine() -> None:
    family = family_named("paper:127.0.0.1:4002:1")
    assert family == "ltjbj"
    assert is_install(family)
    assert family != family_named("paper:127.0.0.1:4002:2")


@pytest.mark.parametrize("text", ["", "a b", "a\0", "ü", "x" * 41, "a/b"])
def test_what_may_not_travel_in_the_reference(text: str) -> None:
    assert not is_reference(text)


def test_what_may() -> None:
    assert is_reference("Z.9_-" * 8)
    assert is_install("memo")
    assert not is_install("memo-1")
    assert not is_install("foreign")


@pytest.mark.parametrize(
    ("next_valid", "floor", "seen", "expected"),
    [(1, 1, 0, 1), (5, 10, 0, 10), (5, 1, 9, 10), (50, 9, 9, 50), (-1, 0, -5, 1), (9, 9, 9, 10)],
)
def test_a_number_is_above_all_that_was_used(
    next_valid: int, floor: int, seen: int, expected: int
) -> None:
    found = next_broker_order_ids(2, next_valid=next_valid, floor=floor, seen=seen)
    assert found == (expected, expected + 1)


def test_numbers_run_out_before_the_brokers_integer_does() -> None:
    last = MAX_BROKER_ORDER_ID - 1
    none = {"next_valid": 1, "floor": 1, "seen": 0}
    assert next_broker_order_ids(1, **(none | {"next_valid": last})) == (last,)
    for names in ({"next_valid": 2**31 - 1}, {"floor": last + 1}, {"seen": last}):
        with pytest.raises(BrokerUnavailable, match="order ids have reached"):
            next_broker_order_ids(1, **(none | names))


@pytest.mark.parametrize(
    ("number", "epoch"), [(1, 0), (999_999, 0), (1_000_000, 1), (3_000_017, 3), (3_999_999, 3)]
)
def test_a_number_says_under_which_leader_it_was_given(number: int, epoch: int) -> None:
    assert epoch_of(number) == epoch
    assert epoch_in(f"k7qav-{number}-stop.2") == epoch
    assert epoch_in(f"zzzzz-{number}-entry") == epoch
    assert short_id(f"k7qav-{number}-stop") == f"{number}-stop"


@pytest.mark.parametrize("reference", ["", "by hand", "k7qav-3000017", "3000017-stop", "foreign-7"])
def test_what_names_no_leader_has_no_epoch(reference: str) -> None:
    assert epoch_in(reference) == 0


def test_a_twin_goes_by_its_permanent_id_and_is_nobodys_group() -> None:
    name = twin_id(9)
    assert name == short_id(name) == "twin-9"
    assert is_twin(name)
    assert not is_twin("k7qav-9-stop")
    assert not is_install("twin")
    assert group_number(name, "k7qav") == 0
    with pytest.raises(ValueError, match="cannot be a group id"):
        make_group_id("twin", 9)


@pytest.mark.parametrize(
    ("number", "client_id", "is_so"),
    [(900, 7, True), (900, 8, False), (-7, 8, True), (-7, 7, True), (0, 7, False)],
)
def test_a_cancel_goes_by_a_number_that_can_mean_nothing_else(
    number: int, client_id: int, is_so: bool
) -> None:
    assert is_reached(number, client_id=client_id, ours=7) is is_so
