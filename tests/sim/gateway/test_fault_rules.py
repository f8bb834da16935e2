"""Faults as values: what they strike, what they may not be, and how they travel."""

from __future__ import annotations

import msgspec
import pytest

from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Behind, Drop, Fault, When
from ibkr_trader.sim.gateway.naming import Subject
from ibkr_trader.sim.orders import OrderKey

PLACED = Subject("placeOrder", OrderKey(1, 7), "k7qav-3-stop.2")


@pytest.mark.parametrize(
    ("when", "is_struck"),
    [
        (When(names=("placeOrder",)), True),
        (When(names=("modifyOrder", "cancelOrder")), False),
        (When(names=("placeOrder",), order="k7qav-3-stop.2"), True),
        (When(names=("placeOrder",), order="stop.2"), True),
        (When(names=("placeOrder",), order="stop"), False),
        (When(names=("placeOrder",), order="*-stop*"), True),
        (When(names=("placeOrder",), client=1), True),
        (When(names=("placeOrder",), client=2), False),
    ],
)
def test_what_is_chosen(when: When, is_struck: bool) -> None:
    assert when.chooses(PLACED, 1) is is_struck


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ()},
        {"names": ("placeOder",)},
        {"names": ("placeOrder", "orderStatus")},  # a client's and the gateway's
        {"names": ("placeOrder",), "nth": 0},
        {"names": ("placeOrder",), "times": -1},
    ],
)
def test_what_could_never_strike_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, When)


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("orderStatus", rules.Reject(code=201, text="")),
        ("orderStatus", rules.Cut()),
        ("placeOrder", rules.Repeat()),
        ("placeOrder", rules.Shuffle(order=(1, 0))),
        ("orderStatus", Behind(name="nothing")),
    ],
)
def test_an_act_fits_its_messages(name: str, act: rules.Act) -> None:
    with pytest.raises(ValueError, match=r"cannot be met|no message"):
        Fault(when=When(names=(name,)), act=act)


def test_only_what_tws_says_of_cancels() -> None:
    with pytest.raises(ValueError, match="161, 10147 or 10148"):
        rules.cancel_refused(202)


@pytest.mark.parametrize(
    "made",
    [
        rules.swallow(),
        rules.unanswered(),
        rules.ack_delay(3),
        rules.reject(201, "no"),
        rules.cancel_refused(161),
        rules.exec_before_status(),
        rules.commission("late", seconds=2),
        (Fault(when=When(names=("error",)), act=Drop()),),
    ],
)
def test_a_fault_travels_as_it_is(made: tuple[Fault, ...]) -> None:
    encoded = msgspec.json.encode(made)
    assert msgspec.json.decode(encoded, type=tuple[Fault, ...]) == made
