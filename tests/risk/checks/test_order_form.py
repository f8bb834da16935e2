from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, Contract, OrderSpec
from tests.risk.world import (
    NOW,
    D,
    bracket,
    held,
    judge,
    limit,
    modify,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

T = OrderType
FORMS = {
    T.MARKET: {},
    T.LIMIT: {"limit_price": "149"},
    T.STOP: {"stop_price": "155"},
    T.STOP_LIMIT: {"limit_price": "156", "stop_price": "155"},
    T.TRAIL: {"trail_amount": "3"},
    T.TRAIL_LIMIT: {"trail_percent": "2", "limit_price": "155", "stop_price": "154"},
    T.MARKET_IF_TOUCHED: {"stop_price": "145"},
    T.LIMIT_IF_TOUCHED: {"stop_price": "145", "limit_price": "146"},
    T.MARKET_ON_CLOSE: {},
    T.LIMIT_ON_CLOSE: {"limit_price": "149"},
}
PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent")


def messages(order: OrderSpec, **world: Any) -> str:
    return " ".join(b.message for b in judge("order_form", submit(order), view(**world)))


@pytest.mark.parametrize("kind", list(T))
def test_each_type_with_its_own_prices_passes(kind: OrderType) -> None:
    assert messages(spec(order_type=kind, **FORMS[kind])) == ""


@pytest.mark.parametrize("kind", list(T))
@pytest.mark.parametrize("field", PRICES)
def test_a_price_too_many_or_too_few_is_named(kind: OrderType, field: str) -> None:
    form = FORMS[kind]
    if field in form:
        found = messages(spec(order_type=kind, **{k: v for k, v in form.items() if k != field}))
        assert "needs" in found
    else:
        found = messages(spec(order_type=kind, **form, **{field: "3"}))
        starts_at = field == "stop_price" and kind is T.TRAIL
        assert bool(found) is not starts_at


@pytest.mark.parametrize(
    ("quantity", "word"),
    [
        ("1", ""),
        ("1E+2", ""),
        ("1000000000", ""),
        ("0", "1 or more"),
        ("-1", "1 or more"),
        ("0.5", "1 or more"),
        ("1.5", "whole"),
        ("1E+10", "beyond"),
        ("NaN", "not a number"),
        ("Infinity", "not a number"),
        ("-Infinity", "not a number"),
    ],
)
def test_quantities(quantity: str, word: str) -> None:
    found = messages(spec("BUY", quantity))
    assert word in found
    assert bool(found) is bool(word)


@pytest.mark.parametrize("quantity", ["NaN", "sNaN", "Infinity", "-5", "0"])
def test_a_quantity_without_meaning_is_the_only_reason_given(quantity: str) -> None:
    assert reasons(review(bracket(quantity), view())) == {"order_form"}


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "1E+10"])
@pytest.mark.parametrize("field", PRICES)
def test_prices(price: str, field: str) -> None:
    kind = T.LIMIT if field == "limit_price" else T.STOP if field == "stop_price" else T.TRAIL
    assert "above zero" in messages(spec(order_type=kind, **{field: price}))


@pytest.mark.parametrize(("percent", "denied"), [("99.9", False), ("100", True)])
def test_a_trail_is_less_than_all(percent: str, *, denied: bool) -> None:
    found = messages(spec(order_type=T.TRAIL, trail_percent=percent))
    assert ("no stop" in found) is denied


@pytest.mark.parametrize(
    ("kind", "tif", "denied"),
    [
        (T.LIMIT, TimeInForce.GTC, False),
        (T.LIMIT, TimeInForce.GTD, True),
        (T.LIMIT, TimeInForce.IOC, False),
        (T.MARKET, TimeInForce.OPG, False),
        (T.STOP, TimeInForce.FOK, True),
        (T.TRAIL, TimeInForce.IOC, True),
        (T.MARKET_ON_CLOSE, TimeInForce.GTC, True),
        (T.LIMIT_ON_CLOSE, TimeInForce.DAY, False),
    ],
)
def test_lifetimes(kind: OrderType, tif: TimeInForce, *, denied: bool) -> None:
    assert bool(messages(spec(order_type=kind, time_in_force=tif, **FORMS[kind]))) is denied


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": ""},
        {"order_id": "a" * 41},
        {"order_id": "a\0b"},
        {"order_id": "a b"},
        {"order_id": "ok\n"},
        {"group_id": "ü"},
        {"account": ""},
        {"account": "DU 1"},
        {"oca_group": "a b", "oca_type": OcaType.CANCEL},
        {"oca_group": "a"},
        {"oca_type": OcaType.CANCEL},
        {"broker_order_id": 0},
        {"broker_order_id": -1},
        {"broker_order_id": 2**31},
        {"contract": Contract(symbol="AAPL")},
        {"contract": Contract(symbol="AAPL", con_id=-1)},
        {"contract": Contract(symbol="", con_id=1)},
        {"contract": Contract(symbol="A\0", con_id=1)},
        {"contract": Contract(symbol="AAPL", con_id=1, exchange="Ä")},
        {"contract": Contract(symbol="AAPL", con_id=1, multiplier=D("0"))},
        {"contract": Contract(symbol="AAPL", con_id=1, multiplier=D("NaN"))},
    ],
)
def test_names_and_numbers_that_cannot_be_sent(changes: dict[str, Any]) -> None:
    order = msgspec.structs.replace(spec(), **changes)
    assert messages(order)
    assert "order_form" in reasons(review(submit(order), view()))


def test_a_good_oca_group_passes_and_the_longest_id() -> None:
    assert messages(spec(oca_group="t-1", oca_type=OcaType.CANCEL)) == ""
    assert messages(spec(order_id="t-" + "1" * 38, group_id="t-1")) == ""


def test_a_preview_needs_no_broker_id() -> None:
    assert messages(spec(broker_order_id=0), is_preview=True) == ""


def test_it_binds_a_close_as_well() -> None:
    close = submit(spec("SELL", "1.5"))
    assert reasons(review(close, view(held(10)))) == {"order_form"}


def test_a_change_is_judged_by_the_order_that_it_makes() -> None:
    order = working(stop("SELL", 10, "145"), filled=4)
    world = view(held(6), order)
    assert judge("order_form", modify(order, quantity=5), world) == []
    (breach,) = judge("order_form", modify(order, quantity=4), world)
    assert "already filled" in breach.message
    (breach,) = judge("order_form", modify(order, limit_price="150"), world)
    assert breach.message == "A STOP order takes no limit price."
    assert judge("order_form", modify(order, quantity="NaN"), world)


def test_both_sides_are_known() -> None:
    assert {messages(limit(side, 1, "150")) for side in Side} == {""}


@pytest.mark.parametrize(
    ("quantity", "hint"),
    [("NaN", "1"), ("0", "1"), ("0.5", "1"), ("1.5", "1"), ("7.9", "7"), ("1E+10", "1")],
)
def test_a_quantity_comes_with_the_one_to_use(quantity: str, hint: str) -> None:
    (breach,) = judge("order_form", submit(spec("BUY", quantity)), view())
    assert breach.hint == f"use --quantity {hint}"


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        (spec(order_type=T.LIMIT), "give --limit"),
        (spec(limit_price="1"), "leave out --limit"),
        (stop("SELL", 1, "0"), "correct --stop"),
        (spec(time_in_force=TimeInForce.GTD), "correct --tif"),
        (spec(good_after=NOW + timedelta(microseconds=1)), ""),
    ],
)
def test_each_fault_comes_with_the_option_that_mends_it(order: OrderSpec, hint: str) -> None:
    (breach,) = judge("order_form", submit(order), view())
    assert breach.hint == hint


@pytest.mark.parametrize(("ahead", "denied"), [(1, False), (0, True), (-60, True)])
def test_a_time_that_has_passed_would_mean_now(ahead: int, *, denied: bool) -> None:
    late = spec("SELL", 10, good_after=NOW + timedelta(seconds=ahead))
    found = judge("order_form", submit(late), view(held(10)))
    assert ["has passed" in breach.message for breach in found] == [True] * denied


def test_a_timed_order_may_be_changed_after_its_time() -> None:
    timed = working(spec("SELL", 10, good_after=NOW - timedelta(hours=1)))
    assert judge("order_form", modify(timed, quantity=5), view(held(5), timed)) == []


def test_a_time_without_a_zone_is_a_fault_and_no_crash() -> None:
    (breach,) = judge(
        "order_form", submit(spec(good_after=NOW.replace(tzinfo=None) + timedelta(1))), view()
    )
    assert "whole second in UTC" in breach.message


def test_what_a_stop_turns_into_is_judged_too() -> None:
    wider = Adjustment(trigger=D("155"), order_type=T.STOP, stop_price=D("144"))
    (breach,) = judge(
        "order_form", submit(stop("SELL", 10, "145", adjustment=wider)), view(held(10))
    )
    assert "it would widen" in breach.message
