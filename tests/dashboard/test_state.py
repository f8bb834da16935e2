from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.dashboard.effects import Leave
from ibkr_trader.dashboard.inputs import Interrupted, Linked, Pasted, Pressed, Refused, Ticked
from ibkr_trader.dashboard.model import Choice, ConfirmDialog, Model, Tone
from ibkr_trader.dashboard.state import update
from ibkr_trader.dashboard.steps import SHUT, command, replaced, stage
from tests.dashboard.play import (
    Given,
    asking,
    changing,
    desk,
    entry,
    glimpse,
    guarded,
    head,
    play,
    press,
    reading,
    scene_of,
    stop,
    text_of,
    told,
    typed,
    typing,
    wait,
)

ACT = command("revise.modify", "modify 18-entry", more={"order": entry().order_id, "limit": "151"})
GONE = Linked(is_up=False, words="the trader is gone")


def staged() -> Model:
    model = desk(entry(), stop())
    return stage(model, ACT, before=entry())[0]


# -- what waits where any key ends it


@pytest.mark.parametrize("key", ["escape", "y", "c", "enter", "q", "j", "5", "f5", "h"])
def test_any_key_stops_what_is_staged_and_does_nothing_else(key: str) -> None:
    before = staged()
    model, effects = play(before, key)
    assert (effects, model.staged, model.dialog) == ([], None, None)
    assert text_of(model) == "stopped, modify 18-entry was not sent: a key was pressed"
    assert replaced(model, notice=None, staged=before.staged) == before
    assert not wait(model, 3)[1]


def test_pasting_stops_it_too() -> None:
    model, effects = play(staged(), Pasted("147"))
    assert (effects, model.staged) == ([], None)


def test_it_goes_out_after_a_second_and_a_half() -> None:
    model, effects = wait(staged(), 1.45)
    assert (effects, model.staged is None) == ([], False)
    model, effects = wait(model, 0.1)
    assert [act.options for act in changing(effects)] == [ACT.options]
    assert model.staged is None
    assert not wait(model, 3)[1]


def test_keys_that_wait_behind_a_late_tick_come_first() -> None:
    """The loop stood still while a key was pressed: the tick that is late must not send it."""
    model, effects = wait(staged(), 1.0)
    model, effects = play(model, Ticked(model.now + 0.8), "escape")
    assert (effects, model.staged) == ([], None)


def test_after_a_late_tick_it_goes_out_all_the_same() -> None:
    model, effects = wait(staged(), 1.0)
    model, effects = play(model, Ticked(model.now + 0.8))
    assert not effects
    assert changing(wait(model, 0.4)[1])


def test_a_screen_that_stood_still_has_shown_nothing() -> None:
    """Ctrl-Z, a closed lid: what was staged minutes ago is not what one looks at."""
    model = staged()
    model, effects = play(model, Ticked(model.now + 60))
    assert (effects, model.staged) == ([], None)
    assert "the screen stood still" in text_of(model)


def test_it_goes_out_to_no_other_trader() -> None:
    model, effects = play(staged(), GONE)
    assert (effects, model.staged) == ([], None)
    assert text_of(model) == "stopped, modify 18-entry was not sent: the trader is gone"
    assert told(model).tone is Tone.FAULT
    assert not wait(play(model, glimpse(entry(), is_first=True))[0], 3)[1]


@pytest.mark.parametrize(
    ("news", "why"),
    [
        (glimpse(gone=(entry().order_id,)), "modify 18-entry: it is no longer active"),
        (glimpse(entry(quantity=Decimal(7))), "18-entry is now 7 at 150.00"),
        (glimpse(entry(terms="151.00")), "18-entry is now 10 at 151.00"),
        (glimpse(head=head(is_open=False)), SHUT),
    ],
)
def test_what_has_changed_meanwhile_stops_it(news: Given, why: str) -> None:
    model, _ = wait(staged(), 1.0)
    model, effects = play(model, news)
    assert (effects, model.staged) == ([], None)
    assert why in text_of(model)


def test_what_has_not_changed_does_not() -> None:
    model, _ = wait(staged(), 1.0)
    model, _ = play(model, glimpse(entry(status="PRESUBMITTED"), stop(19)))
    assert changing(wait(model, 0.6)[1])


def test_it_is_looked_at_again_when_it_goes_out() -> None:
    """A model whose picture was never looked at since."""
    model, _ = wait(staged(), 1.45)
    shut = replaced(scene_of(model), head=head(is_open=False))  # type: ignore[arg-type]  # any struct
    model, effects = wait(replaced(model, scene=shut), 0.2)
    assert (effects, model.staged) == ([], None)
    assert SHUT in text_of(model)


# -- time, and the line


def test_a_notice_is_forgotten() -> None:
    model = press(desk(), "r")
    assert text_of(model)
    assert wait(model, 7.9)[0].notice is not None
    assert wait(model, 8.1)[0].notice is None


def test_the_terminal_says_what_it_cannot() -> None:
    model, effects = play(desk(), Refused("no clipboard"))
    assert (text_of(model), effects) == ("no clipboard", [])


def test_the_line_comes_and_goes() -> None:
    model, _ = play(desk(), GONE)
    assert (model.line.is_up, model.line.words) == (False, "the trader is gone")
    model, _ = play(model, Linked(is_up=True))
    assert model.line.is_up
    model, _ = play(model, GONE, glimpse())
    assert (model.line.is_up, model.line.words) == (True, "")


@pytest.mark.parametrize("keys", [("c",), ("x", "y"), ("a", "y"), ("u",), ("enter",)])
def test_nothing_is_sent_without_a_trader(keys: tuple[str, ...]) -> None:
    model = desk(entry(18, "AAPL"), positions=(guarded(),))
    model = press(play(model, GONE)[0], *keys[:-1])
    model, effects = play(model, keys[-1])
    assert (effects, model.dialog) == ([], None)
    assert text_of(model) == "nothing was sent: the trader is gone"


# -- the number that is typed first


def test_a_number_is_typed_and_taken_back() -> None:
    model = desk(entry())
    assert press(model, *typed("1-2")).typed_id == "1-2"
    assert press(model, "#", "#", "7").typed_id == "#7"
    assert press(model, "-", "7").typed_id == "7"
    assert press(model, *typed("12"), "backspace").typed_id == "1"
    assert press(model, *typed("12"), "escape").typed_id == ""
    assert press(model, *"1" * 40).typed_id == "1" * 24


@pytest.mark.parametrize("key", ["j", "tab", "o", "g"])
def test_a_number_that_no_key_took_is_dropped_and_that_is_said(key: str) -> None:
    """Kept, it would be what the next c is about, whatever stands under the cursor by then."""
    model = press(desk(entry(), stop()), *typed("117"), key)
    assert (model.typed_id, text_of(model)) == ("", "117 was typed for nothing, and is dropped")


@pytest.mark.parametrize("key", ["a", "h", "r", "u", "/", "?", "ctrl-l", "q"])
def test_no_dialog_keeps_a_number(key: str) -> None:
    assert press(desk(entry(), head=head(state="HALTED")), *typed("12"), key).typed_id == ""


def test_a_slip_of_the_finger_keeps_the_number() -> None:
    """Without it the next c would cancel what stands under the cursor instead."""
    _, effects = play(desk(entry(), stop()), *typed("117"), "z", "f5", "c")
    assert changing(effects)[0].options == {"orders": [stop().order_id]}


def test_escape_shows_all_rows_again() -> None:
    model = replaced(press(desk(entry()), "r"), filter="x")
    model = press(model, "escape")
    assert (model.filter, model.notice) == ("", None)


@pytest.mark.parametrize("key", ["z", "f5", "ctrl-x", "\x00", "", "Y"])
def test_most_keys_do_nothing(key: str) -> None:
    model = desk(entry())
    assert play(model, key) == (model, [])


# -- pasting


@pytest.mark.parametrize("keys", [(), ("a",), ("?",)])
def test_pasted_text_is_no_keys(keys: tuple[str, ...]) -> None:
    model = press(desk(entry()), *keys)
    after, effects = play(model, Pasted("jjca\nyes\n"))
    assert (effects, after.dialog) == ([], model.dialog)
    assert text_of(after) == "pasted text is not taken as keys"


def test_pasted_text_may_be_words() -> None:
    model = press(desk(head=head(state="HALTED")), "r")
    model, effects = play(model, Pasted("all\x1b]0;x\x07 fine\n" + "x" * 300))
    assert not effects
    assert typing(model).text.startswith("all]0;x fine x")
    assert len(typing(model).text) == 200


# -- dialogs


def test_a_text_is_edited() -> None:
    model = press(desk(head=head(state="HALTED")), "r", *typed("abc"), "backspace", "f5", "\x07")
    assert typing(model).text == "ab"
    assert typing(press(model, "ctrl-u")).text == ""


def test_a_page_is_read() -> None:
    model = press(desk(), "?")
    assert [reading(press(model, *["j"] * n)).top for n in (0, 1, 2)] == [0, 1, 2]
    last = len(reading(model).lines) - 1
    assert reading(press(model, *["pagedown"] * 20)).top == last
    assert reading(press(model, "pagedown", "pageup", "k", "up", "down", "z")).top == 1
    for end, begin in (("G", "g"), ("end", "home")):
        assert reading(press(model, end)).top == last
        assert reading(press(model, end, begin)).top == 0
    for key in ("escape", "enter", "q", "?"):
        assert press(model, key).dialog is None


def test_a_choice_that_does_nothing_closes() -> None:
    model = replaced(
        desk(), dialog=ConfirmDialog(title="?", lines=(), choices=(Choice(key="y", label="yes"),))
    )
    assert play(model, "y")[0].dialog is None


def test_ctrl_c_leaves() -> None:
    assert play(desk(), Interrupted())[1] == [Leave(is_interrupted=True)]


def test_ctrl_c_on_the_traders_own_terminal_asks() -> None:
    model = replaced(staged(), is_own=True)
    model, effects = play(model, Interrupted())
    assert (effects, model.staged, asking(model).title) == ([], None, "Leave?")
    assert play(model, Interrupted())[1] == [Leave(ends_trader=True, is_interrupted=True)]


def test_a_model_is_a_value() -> None:
    model = desk(entry())
    again = desk(entry())
    update(model, Pressed("c"))
    assert model == again
