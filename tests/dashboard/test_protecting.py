"""`t` on a position without a stop."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.cli.face import DESK_COMMANDS
from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.scene import PositionRow
from tests.dashboard.play import (
    answer,
    changing,
    desk,
    editing,
    glimpse,
    guarded,
    held,
    play,
    press,
    stop,
    text_of,
    the_act,
    typed,
)


def protect(held_now: PositionRow, text: str) -> Model:
    return press(desk(positions=(held_now,)), "backtab", "t", *typed(text))


def sent(model: Model) -> Act:
    model, effects = play(model, "enter")
    assert model.dialog is None
    return the_act(effects)


def fault(model: Model, *given: object) -> str:
    after, effects = play(model, *given, "enter")  # type: ignore[arg-type]  # a glimpse or a key
    assert not effects
    return editing(after).fault


def test_the_dialog_says_what_would_be_protected() -> None:
    dialog = editing(protect(held(), ""))
    assert (dialog.title, dialog.before) == ("Protect +10 AAPL", None)
    dialog = editing(protect(held(covered=Decimal(4)), ""))
    assert dialog.title == "Protect +10 AAPL, 4 of it covered"


def test_a_stop_at_a_price() -> None:
    act = sent(protect(held(), "147.50"))
    assert (act.command, act.words) == ("orders.order", "stop for AAPL at 147.50")
    assert act.options == {
        "symbol": "AAPL",
        "side": "sell",
        "quantity": "10",
        "kind": "stop",
        "stop": "147.50",
        "tif": "gtc",
    }


def test_the_stop_of_a_short_position_buys() -> None:
    act = sent(protect(held(quantity="-10.00"), "153"))
    assert (act.options["side"], act.options["quantity"]) == ("buy", "10")


def test_a_stop_that_trails() -> None:
    act = sent(protect(held("BRK B", covered=Decimal(4)), "2%"))
    assert (act.command, act.words) == ("linked.trailing-stop", "trail BRK B by 2%")
    assert act.options == {"symbol": "BRK.B", "quantity": "6", "trail_percent": "2"}


def test_the_trader_takes_these_options() -> None:
    for text in ("147.50", "2%"):
        act = sent(protect(held(), text))
        known = DESK_COMMANDS[act.command]
        assert known.required <= act.options.keys() <= known.options.keys()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "type a price, or 2%"),
        ("1..", "'1..' is no price"),
        ("%", "'%' is no share of the price"),
        ("100%", "'100%' is no share of the price"),
        ("1475", "the market is at 150.00: a stop at 1475.00 would trade at once"),
        ("150", "the market is at 150.00: a stop at 150.00 would trade at once"),
    ],
)
def test_what_is_no_stop_is_refused_in_place(text: str, why: str) -> None:
    assert fault(protect(held(), text)).replace(",", "") == why.replace(",", "")


def test_a_price_that_nobody_knows_is_the_guards_business() -> None:
    assert sent(protect(held(last=None), "1475")).options["stop"] == "1475"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (held(covered=Decimal(10)), "AAPL is covered already"),
        (held(covered=Decimal(12)), "AAPL is covered already"),
        (
            held(quantity="0.5"),
            "0.5 AAPL cannot be protected from here: it is no whole number",
        ),
        (
            held("ESZ6", ticker="ES"),
            "ESZ6 cannot be named in a command: place its stop in TWS",
        ),
        (
            held("EUR.USD", ticker="EUR"),
            "EUR.USD cannot be named in a command: place its stop in TWS",
        ),
        (held("?", ticker="?"), "? cannot be named in a command: place its stop in TWS"),
    ],
)
def test_what_cannot_be_protected_from_here(row: PositionRow, why: str) -> None:
    """A future's ticker names a stock: its stop would open something else."""
    assert fault(protect(row, "1")) == why


def test_an_option_can_be_named() -> None:
    row = held("AAPL 2027-01-15 150 C", 2, ticker="AAPL270115C00150000", last=Decimal(5))
    assert sent(protect(row, "4")).options["symbol"] == "AAPL270115C00150000"


def test_it_may_be_gone_when_enter_is_pressed() -> None:
    for now in ((), (held(quantity=0),), (held(quantity=-10),)):
        model, effects = play(protect(held(), "147"), glimpse(positions=now), "enter")
        assert (effects, model.dialog) == ([], None)
        assert text_of(model) == "AAPL is not held like that any more; nothing was sent"


def test_it_may_be_another_size_when_enter_is_pressed() -> None:
    """A stop for ten that are five by now would open a short position."""
    model = protect(held(), "147")
    less = glimpse(positions=(held(quantity=5),))
    model, effects = play(model, less, "enter")
    assert not effects
    assert editing(model).fault == "it is now: Protect +5 AAPL; Enter sends all the same"
    assert editing(model).title == "Protect +5 AAPL"
    assert sent(model).options["quantity"] == "5"


def test_it_may_be_covered_when_enter_is_pressed() -> None:
    model, effects = play(protect(held(), "147"), glimpse(stop(), positions=(guarded(),)), "enter")
    assert not effects
    assert "it is now" in editing(model).fault
    assert fault(model) == "AAPL is covered already"


def test_one_stop_at_a_time() -> None:
    model = protect(held(), "147")
    again = press(model, "enter", "t", *typed("147"))
    assert fault(again) == "a stop for AAPL is on its way: see what becomes of it first"
    model, effects = play(model, "enter", "t", *typed("2%"))
    act = changing(effects)[0]
    refused = answer(act, is_done=False, lines=("refused",))
    assert sent(play(model, refused)[0]).command == "linked.trailing-stop"


def test_it_may_be_typed_without_a_trader_asking_anything() -> None:
    _, effects = play(desk(positions=(held(),)), "backtab", "t", *typed("147.5"), "backspace")
    assert not effects
