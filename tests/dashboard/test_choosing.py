from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.dashboard.choosing import (
    NO_ORDER,
    NO_POSITION,
    held_in,
    order_meant,
    outdated,
    position_meant,
    terms_of,
)
from ibkr_trader.dashboard.model import Model, Panel
from ibkr_trader.dashboard.scene import OrderRow
from ibkr_trader.dashboard.steps import command, replaced
from tests.dashboard.play import desk, entry, guarded, held, press, stop, typed


def meant(model: Model, text: str) -> OrderRow | str:
    return order_meant(press(model, *typed(text)))


def test_it_is_the_order_under_the_cursor() -> None:
    assert order_meant(desk(stop(), entry())) == stop()
    assert order_meant(press(desk(stop(), entry()), "j")) == entry()
    assert order_meant(desk()) == "there is no order here"
    assert order_meant(Model()) == "there is no order here"


@pytest.mark.parametrize("panel", [one for one in Panel if one is not Panel.ORDERS])
def test_a_cursor_that_one_does_not_move_counts_for_nothing(panel: Panel) -> None:
    model = replaced(desk(stop(), positions=(guarded(),)), panel=panel)
    assert order_meant(model) == NO_ORDER
    if panel is not Panel.POSITIONS:
        assert position_meant(model) == NO_POSITION


def test_it_is_the_position_under_the_cursor() -> None:
    model = press(desk(positions=(held(), held("NVDA"))), "backtab", "j")
    assert position_meant(model) == held("NVDA")
    assert position_meant(press(desk(), "backtab")) == "nothing is held"


def test_it_is_the_position_of_the_order_under_the_cursor() -> None:
    model = desk(stop(17, "NVDA"), positions=(held(), held("NVDA")))
    assert position_meant(model) == held("NVDA")
    assert position_meant(desk(stop())) == "nothing is held in AAPL"
    assert position_meant(desk()) == "there is no order here"
    flat = desk(stop(), positions=(held(quantity=0),))
    assert position_meant(flat) == "nothing is held in AAPL"


def test_it_is_the_position_of_the_order_that_was_typed() -> None:
    model = press(desk(stop(), stop(19, "NVDA"), positions=(held("NVDA"),)), *typed("119"))
    assert position_meant(model) == held("NVDA")
    assert position_meant(replaced(model, typed_id="9")) == (
        "no active order has the number 9; nothing was done"
    )


def test_nothing_is_held_before_anything_is_seen() -> None:
    assert held_in(Model(), 1) is None


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("117", "17-stop"),
        ("#117", "17-stop"),
        ("17", "17-stop"),
        ("17-", "17-stop"),
        ("218", "18-entry"),
    ],
)
def test_a_number_is_read_from_either_column(text: str, short: str) -> None:
    found = meant(desk(stop(), entry(), stop(19, number=0), stop(20, number=0)), text)
    assert isinstance(found, OrderRow)
    assert found.short == short


@pytest.mark.parametrize("text", ["0", "1", "7", "#17", "#0", "#", "11", "017", "17--", "1-"])
def test_a_number_that_means_nothing(text: str) -> None:
    """Least of all the order that has no number yet."""
    model = desk(stop(), stop(19, number=0))
    assert meant(model, text) == f"no active order has the number {text}; nothing was done"


def test_a_number_that_fits_two_columns_fits_nothing() -> None:
    """17 may have been read from ID or from No.: a guess would cancel somebody else's order."""
    model = desk(stop(17), entry(5, number=17))
    assert meant(model, "17") == (
        "17 means 2 orders: 17-stop (#117), 5-entry (#17); nothing was done"
    )
    assert meant(model, "#17") == entry(5, number=17)
    assert meant(model, "17-") == stop(17)


def test_a_group_of_several_orders_is_not_one() -> None:
    rows = [stop(17, order_id=f"o{n}", short=f"17-stop.{n}", number=0) for n in range(6)]
    assert meant(desk(*rows), "17") == (
        "17 means 6 orders: 17-stop.0, 17-stop.1, 17-stop.2, 17-stop.3 (+2); nothing was done"
    )


def test_an_id_may_be_whole() -> None:
    model = desk(stop(), entry())
    assert order_meant(replaced(model, typed_id="17-stop")) == stop()
    assert order_meant(replaced(model, typed_id=entry().order_id)) == entry()


def test_what_is_decided_on() -> None:
    assert terms_of(stop()) == terms_of(stop(status="PENDING_CANCEL"))
    for change in ({"quantity": 5}, {"limit": 5}, {"stop": 5}, {"terms": "5"}, {"side": "BUY"}):
        assert terms_of(stop()) != terms_of(stop(**change))


@pytest.mark.parametrize(
    ("options", "name", "why"),
    [
        ({"orders": ["k7qav-17-stop"]}, "revise.cancel", ""),
        ({"order": "k7qav-17-stop"}, "revise.modify", ""),
        ({"orders": ["gone"]}, "revise.cancel", "it is no longer active"),
        ({"orders": ["k7qav-17-stop", "gone"]}, "revise.cancel", "it is no longer active"),
        ({"order": "gone"}, "revise.modify", "it is no longer active"),
        ({"symbol": "AAPL"}, "revise.close", ""),
        ({"symbol": "MSFT"}, "revise.close", "nothing is held in MSFT any more"),
        ({"symbol": "NVDA"}, "revise.close", "nothing is held in NVDA any more"),
        ({"everything": True}, "revise.cancel", ""),
        ({"reason": "why"}, "kill.resume", ""),
    ],
)
def test_whether_it_is_still_about_the_same(options: dict[str, Any], name: str, why: str) -> None:
    model = desk(stop(), positions=(held(), held("NVDA", 0)))
    found = outdated(model, command(name, "words", **options))
    assert (why in found) if why else not found


def test_there_is_nothing_left_to_cancel_or_to_close() -> None:
    every = command("revise.cancel", "cancel all", everything=True)
    assert outdated(desk(stop(is_foreign=True)), every)
    assert outdated(Model(), every)
    assert outdated(Model(), command("revise.close", "close", symbol="AAPL"))
