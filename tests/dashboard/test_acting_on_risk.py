"""The keys that act on no one order: halt, resume, undo, and what is only looked at."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.dashboard.inputs import Linked
from ibkr_trader.dashboard.model import Model, Panel
from ibkr_trader.dashboard.steps import HALT
from tests.dashboard.play import (
    asking,
    desk,
    entry,
    guarded,
    head,
    held,
    looking,
    play,
    press,
    reading,
    stop,
    text_of,
    the_act,
    typed,
    typing,
)
from tests.dashboard.scenes import GAUGES, decisions, feed

GONE = Linked(is_up=False, words="the trader is gone")


# -- h


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("y", {"symbol": "", "keep_entries": False, "flatten": False}),
        ("e", {"symbol": "", "keep_entries": True, "flatten": False}),
        ("f", {"symbol": "", "keep_entries": False, "flatten": True}),
        ("s", {"symbol": "MSFT", "keep_entries": False, "flatten": False}),
    ],
)
def test_a_halt_asks_for_one_key(key: str, options: dict[str, object]) -> None:
    model, effects = play(desk(entry()), "h")
    assert not effects
    act = the_act(play(model, key)[1])
    assert act.command == HALT
    assert act.options == options | {
        "reason": "from the dashboard's keyboard",
        "timeout": "",
    }


@pytest.mark.parametrize("key", ["j", "k", "up", "down", "l"])
def test_a_halt_is_not_had_by_walking(key: str) -> None:
    assert not play(desk(entry()), "h", key)[1]


@pytest.mark.parametrize("panel", Panel)
def test_a_halt_can_be_had_everywhere(panel: Panel) -> None:
    model = desk(entry(), positions=(held(),))
    while model.panel is not panel:
        model = press(model, "tab")
    names = [one.label for one in asking(press(model, "h")).choices]
    assert len(names) == (4 if panel in {Panel.ORDERS, Panel.POSITIONS} else 3)


def test_a_halt_goes_out_without_a_trader() -> None:
    for model in (Model(), play(desk(entry()), GONE)[0]):
        assert the_act(play(model, "h", "y")[1]).command == HALT


def test_a_halt_is_not_hidden_by_a_page() -> None:
    assert asking(press(desk(entry()), "?", "h")).title == "Halt?"


def test_a_halt_of_the_order_that_was_typed() -> None:
    model = press(desk(entry(), stop()), *typed("117"), "h")
    assert not model.typed_id
    assert asking(model).choices[-1].label == "halt AAPL alone"


# -- r


def test_resuming_needs_words() -> None:
    model = press(desk(head=head(state="HALTED", reason="odd fills")), "r")
    assert typing(model).lines[0] == "HALTED: odd fills"
    for keys in (("enter",), (*typed(" ."), "enter"), (*typed("-x"), "enter")):
        after, effects = play(model, *keys)
        assert (effects, typing(after).fault) == ([], "a word or two are needed")
    model, effects = play(model, *typed("fills are right "), "enter")
    act = the_act(effects)
    assert (act.command, act.words) == ("kill.resume", "resume")
    assert act.options == {"symbol": "", "reason": "fills are right"}


def test_nothing_is_halted() -> None:
    assert text_of(press(desk(), "r")) == "nothing is halted"
    assert text_of(press(Model(), "r")) == "nothing is halted"


@pytest.mark.parametrize(
    ("state", "keys", "symbol"),
    [
        ("HALTED", (), ""),
        ("ACTIVE", (), "AAPL"),
        ("ACTIVE", ("j",), "MSFT"),
        ("ACTIVE", ("tab",), "AAPL"),
        ("ACTIVE", ("backtab",), "AAPL"),
        ("REDUCING", (), "AAPL"),
    ],
)
def test_which_halt_is_resumed(state: str, keys: tuple[str, ...], symbol: str) -> None:
    model = desk(
        stop(19, "NVDA"),
        entry(),
        positions=(held("NVDA"),),
        head=head(state=state, halts=("AAPL", "MSFT")),
    )
    model, effects = play(model, *keys, "r", *typed("fine"), "enter")
    assert the_act(effects).options == {"symbol": symbol, "reason": "fine"}


def test_resuming_says_what_it_leaves_halted() -> None:
    model = press(desk(head=head(halts=("AAPL", "MSFT"))), "r")
    assert typing(model).title == "Resume AAPL"
    assert typing(model).lines[:2] == ("AAPL is halted.", "It leaves these halted: MSFT.")


def test_less_than_a_halt_is_ended_too() -> None:
    model = press(desk(head=head(state="REDUCING", reason="day loss")), "r")
    assert typing(model).lines[0] == "REDUCING: day loss"


# -- u


def test_undo_asks_the_trader_first() -> None:
    _, effects = play(desk(), "u")
    (act,) = looking(effects)
    assert (act.command, act.looks) == ("protect.undo", True)


# -- enter


@pytest.mark.parametrize(
    ("keys", "about", "name"),
    [
        ((), "k7qav-17-stop", "17-stop"),
        (("backtab",), "1", "AAPL"),
        (typed("218"), "k7qav-18-entry", "18-entry"),
    ],
)
def test_details_are_the_traders(keys: tuple[str, ...], about: str, name: str) -> None:
    model, effects = play(desk(stop(), entry(), positions=(guarded(),)), *keys, "enter")
    (act,) = looking(effects)
    assert (act.command, act.options) == ("screen.details", {"about": about})
    assert (reading(model).title, reading(model).call) == (name, act.call)
    assert not model.typed_id


def test_enter_puts_the_cursor_on_what_was_typed() -> None:
    model = press(desk(stop(), entry()), "tab", *typed("218"), "enter", "escape")
    assert (model.panel, model.selected[Panel.ORDERS]) == (Panel.ORDERS, entry().order_id)
    hidden = press(desk(stop(), entry()), "/", *typed("aapl"), "enter", *typed("218"), "enter")
    assert hidden.selected[Panel.ORDERS] == stop().order_id


def test_enter_on_a_number_of_nobody() -> None:
    model, effects = play(desk(stop()), *typed("9"), "enter")
    assert (effects, model.typed_id, model.dialog) == ([], "", None)


def test_there_are_no_details_without_a_row_or_a_trader() -> None:
    assert text_of(press(desk(), "enter")) == "there is nothing to show"
    model, effects = play(desk(stop()), GONE, "enter")
    assert (effects, model.dialog) == ([], None)


def test_lines_are_shown_as_they_are() -> None:
    model = desk(gauges=GAUGES, decisions=decisions(2), feed=feed(3))
    risk = reading(press(model, "tab", "enter"))
    assert risk.lines == ("day loss", "0.00", "1,000.00")
    signals = reading(press(model, "tab", "tab", "enter"))
    assert signals.lines[1:] == (decisions(2)[-1].source, decisions(2)[-1].text)
    assert reading(press(model, "tab", "tab", "tab", "enter")).title == "Activity"


def test_a_quantity_is_told_in_full() -> None:
    _, effects = play(desk(entry(quantity=Decimal("1200.00"))), "c")
    assert "BUY 1,200 MSFT" in the_act(effects).words
