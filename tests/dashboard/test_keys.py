from __future__ import annotations

import re

import pytest

from ibkr_trader.dashboard.effects import Leave, Repaint
from ibkr_trader.dashboard.hints import ALWAYS, HINTS
from ibkr_trader.dashboard.key_names import NAMES
from ibkr_trader.dashboard.keys import ACTIONS, KEYS, help_lines
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.steps import replaced
from tests.dashboard.play import asking, desk, entry, play, press, reading, text_of


def test_every_key_does_one_thing() -> None:
    names = [name for key in KEYS for name in key.keys]
    assert len(names) == len(set(names)) == len(ACTIONS)


def test_every_key_can_be_pressed() -> None:
    assert all(len(name) == 1 or name in NAMES for name in ACTIONS)


def test_the_keys_that_were_promised_are_there() -> None:
    promised = {"up", "down", "j", "k", "tab", *"cmaxthru/o?q", "enter"}
    assert promised <= ACTIONS.keys()


def test_the_footer_names_keys_that_are_there() -> None:
    named = {key for hints in HINTS.values() for key, _ in hints} | {key for key, _ in ALWAYS}
    assert named - {"0-9"} <= ACTIONS.keys()


def test_no_key_that_acts_can_be_the_tail_of_an_escape_sequence() -> None:
    """`ESC [ A` that comes apart in time is read as three keys: A to H, and ~."""
    tails = set("ABCDEFHPQRS~[O")
    assert not tails & {name for key in KEYS for name in key.keys if key.section != "Screen"}


def test_every_key_has_its_line_in_the_help() -> None:
    text = help_lines()
    for key in KEYS:
        assert sum(line == f"  {key.shown:<10}{key.words}" for line in text) == 1
    assert text[0] == "Orders and positions"
    assert all(re.search(r"\S", line) or line == "" for line in text)


def test_the_help_is_a_page() -> None:
    model = press(desk(), "?")
    assert (reading(model).title, reading(model).lines) == ("Keys", help_lines())
    assert press(model, "?").dialog is None


def test_the_screen_is_drawn_anew() -> None:
    assert play(desk(), "ctrl-l")[1] == [Repaint()]


def test_leaving_stops_no_trader_elsewhere() -> None:
    assert play(desk(), "q")[1] == [Leave()]


def own() -> Model:
    return replaced(desk(entry()), is_own=True)


@pytest.mark.parametrize(
    ("key", "leave"), [("y", Leave(ends_trader=True)), ("b", Leave(ends_trader=False))]
)
def test_leaving_the_traders_own_terminal_asks(key: str, leave: Leave) -> None:
    model, effects = play(own(), "q")
    assert (effects, asking(model).title) == ([], "Leave?")
    model, effects = play(model, key)
    assert (effects, model.dialog) == ([leave], None)


def test_every_other_key_stays() -> None:
    model, effects = play(own(), "q", "q")
    assert (effects, text_of(model)) == ([], "Leave? No: nothing was done")
