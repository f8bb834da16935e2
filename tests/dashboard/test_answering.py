from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.dashboard.effects import Act, Leave, Reply
from ibkr_trader.dashboard.inputs import Answered, Interrupted, Linked, Pasted, Questioned
from ibkr_trader.dashboard.model import Model, Tone
from ibkr_trader.dashboard.steps import SHUT
from tests.dashboard.play import (
    answer,
    asking,
    changing,
    desk,
    editing,
    entry,
    filtering,
    glimpse,
    head,
    looking,
    play,
    press,
    reading,
    stop,
    text_of,
    the_act,
    told,
    typed,
    typing,
    wait,
)

GONE = Linked(is_up=False, words="the trader is gone")
YES_NO = Questioned(1, "Sell 10 AAPL?")
A_WORD = Questioned(1, "Type FLATTEN:", is_typed=True)


def cancelled() -> tuple[Model, Act]:
    model, effects = play(desk(entry(), stop()), "c")
    return model, the_act(effects)


# -- how it ended


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ("1 of 1 cancelled", "more"),
            "cancel 18-entry BUY 10 MSFT LIMIT 150.00: 1 of 1 cancelled",
        ),
        ((), "cancel 18-entry BUY 10 MSFT LIMIT 150.00: done"),
    ],
)
def test_what_was_done_is_said(lines: tuple[str, ...], text: str) -> None:
    model, act = cancelled()
    model, effects = play(model, answer(act, lines=lines))
    assert (text_of(model), told(model).tone, effects) == (text, Tone.DONE, [])
    assert not model.calls


def test_what_was_not_done_is_said_loudly_and_in_full() -> None:
    model, act = cancelled()
    model, _ = play(model, answer(act, is_done=False, lines=("refused", "fix: wait")))
    assert text_of(model).endswith(": refused")
    assert told(model).tone is Tone.FAULT
    assert reading(model).title.startswith("Not done: cancel 18-entry")
    assert reading(model).lines == ("refused", "fix: wait")


def test_one_line_needs_no_page() -> None:
    model, act = cancelled()
    model, _ = play(model, answer(act, is_done=False, lines=("refused",)))
    assert model.dialog is None
    assert told(model).until - model.now == 30


def test_a_page_does_not_push_a_dialog_aside() -> None:
    model, act = cancelled()
    model = press(model, "j", "m")
    refused = answer(act, is_done=False, lines=("refused", "fix: wait"))
    unknown = answer(act, is_done=False, is_unknown=True, lines=("silence",))
    for outcome in (refused, unknown):
        after, _ = play(model, outcome)
        assert editing(after).before == stop()
        assert told(after).tone is Tone.FAULT


def test_nobody_knows_what_became_of_it() -> None:
    model, act = cancelled()
    model, _ = play(model, answer(act, is_done=False, is_unknown=True, lines=("silence",)))
    assert reading(model).title == f"OUTCOME UNKNOWN: {act.words}"
    assert reading(model).lines == (
        "silence",
        "It may have been sent. Never repeat it: see what works.",
    )
    assert text_of(model).startswith("OUTCOME UNKNOWN")


def test_an_answer_that_nobody_waits_for() -> None:
    model = desk(entry())
    assert play(model, answer(77, lines=("hello",)))[0] == model


def test_details_are_shown_where_they_were_asked_for() -> None:
    model, effects = play(desk(entry()), "enter")
    act = the_act(effects)
    shown, _ = play(model, answer(act, data={"lines": ["one", 2]}))
    assert (reading(shown).lines, reading(shown).call) == (("one", "2"), 0)
    failed, _ = play(model, answer(act, is_done=False, lines=("no such order",)))
    assert reading(failed).lines == ("no such order",)
    empty, _ = play(model, answer(act))
    assert reading(empty).lines == ("the trader has nothing to say",)
    closed, _ = play(model, "escape", answer(act, data={"lines": ["one"]}))
    assert closed.dialog is None


def test_details_of_another_row_are_not_shown_here() -> None:
    model, effects = play(desk(entry(), stop()), "enter")
    first = the_act(effects)
    model = press(model, "escape", "j", "enter")
    model, _ = play(model, answer(first, data={"lines": ["of the first"]}))
    assert reading(model).lines == ("asking the trader …",)


def test_terms_that_were_weighed_for_nobody() -> None:
    model, effects = play(desk(stop()), "m", "ctrl-u", "9")
    weighed = answer(the_act(effects), data={"reduces": True})
    assert play(model, "escape", weighed)[0].dialog is None
    model, effects = play(model, "escape", "m", weighed, "enter")
    assert editing(model).weighed is None


# -- what the trader asks


def test_a_question_is_answered_with_one_key() -> None:
    model, _ = wait(play(desk(), YES_NO)[0], 0.5)
    assert (asking(model).lines, asking(model).is_grave) == (("Sell 10 AAPL?",), True)
    assert play(model, "y")[1] == [Reply(call=1, text="y")]
    for key in ("n", "enter", "escape", "c"):
        after, effects = play(model, key)
        assert (effects, after.dialog) == ([Reply(call=1, text=None)], None)


def test_a_question_is_read_before_it_is_answered() -> None:
    """A second y that was meant for the question before must not say yes to this one."""
    model, effects = play(desk(), YES_NO, "y", "y")
    assert not effects
    assert text_of(model) == "read the question first: that key was not taken"
    assert play(model, "escape")[1] == [Reply(call=1, text=None)]
    model, _ = wait(model, 0.5)
    assert play(model, "y")[1] == [Reply(call=1, text="y")]


def test_a_question_is_answered_with_a_word() -> None:
    model, effects = play(desk(), A_WORD, *typed("FLATTEX"), "backspace", "N", " ")
    assert not effects
    model, effects = play(model, Pasted("\x1b"), "enter")
    assert effects == [Reply(call=1, text="FLATTEN")]
    assert play(desk(), A_WORD, "F", "escape")[1] == [Reply(call=1, text=None)]


def test_a_question_does_not_hide_behind_a_page() -> None:
    model, _ = play(desk(), "?", YES_NO)
    assert asking(model).call == 1


@pytest.mark.parametrize("keys", [("m",), ("a",), ("/",), ("h",)])
def test_a_question_waits_until_what_is_open_is_closed(keys: tuple[str, ...]) -> None:
    """It is not answered with no in silence: a flatten would be given up by that."""
    model = press(desk(entry()), *keys)
    model, effects = play(model, YES_NO)
    assert not effects
    assert "is shown when this here is closed" in text_of(model)
    model, effects = play(model, "escape")
    assert not effects
    assert asking(model).call == 1
    assert not play(model, "y")[1], "nobody has read it yet"
    assert model.waiting is None


def test_of_two_questions_that_wait_one_is_answered_with_no() -> None:
    model = press(desk(entry()), "m")
    model, effects = play(model, YES_NO, Questioned(2, "And this?"))
    assert effects == [Reply(call=2, text=None)]
    assert told(model).tone is Tone.FAULT
    assert model.waiting == YES_NO


@pytest.mark.parametrize("question", [YES_NO, A_WORD])
def test_a_question_whose_command_has_ended_is_not_asked(question: Questioned) -> None:
    model, act = cancelled()
    assert act.call == question.call
    waiting, _ = play(press(model, "m"), question, answer(act))
    assert waiting.waiting is None
    assert press(waiting, "escape").dialog is None


def test_a_question_goes_when_its_command_has_ended() -> None:
    model, act = cancelled()
    model, effects = play(model, YES_NO, answer(act), "y")
    assert (model.dialog, effects) == (None, [])


def test_a_text_field_stays_when_its_command_has_ended() -> None:
    """What is still being typed would become keys: the a and the t of `flatten`, say."""
    model, act = cancelled()
    model, effects = play(model, A_WORD, *typed("fl"), answer(act), *typed("atten"))
    assert not effects
    assert (typing(model).text, typing(model).call) == ("flatten", 0)
    model, _ = play(model, answer(act))
    for key in ("enter", "escape"):
        after, effects = play(model, key)
        assert (after.dialog, effects) == (None, [])


def test_another_questions_end_is_nothing_to_it() -> None:
    model, act = cancelled()
    for question in (Questioned(9, "?"), Questioned(9, "?", is_typed=True)):
        after, _ = play(model, question, answer(act))
        assert after.dialog is not None
        after, _ = play(press(model, "m"), question, answer(act))
        assert after.waiting == question


# -- the line


def test_a_question_stays_until_its_command_ends() -> None:
    """A halt that asks for FLATTEN needs no line to the trader: the question is not let go."""
    model, effects = play(desk(), "h", "f", GONE, A_WORD, *typed("FLATTEN"), GONE, "enter")
    assert effects[1:] == [Reply(call=1, text="FLATTEN")]
    model, _ = wait(play(desk(), YES_NO, GONE)[0], 0.5)
    assert (model.line.is_up, model.line.words) == (False, "the trader is gone")
    assert play(model, "y")[1] == [Reply(call=1, text="y")]
    model, _ = play(press(desk(entry()), "m"), YES_NO, GONE)
    assert model.waiting == YES_NO


def test_without_a_trader_a_page_waits_for_nobody() -> None:
    model, _ = play(press(desk(entry()), "enter"), GONE)
    assert (reading(model).lines, reading(model).call) == (("The trader is gone.",), 0)
    assert reading(play(press(desk(), "?"), GONE)[0]).title == "Keys"


def test_what_was_sent_is_still_waited_for() -> None:
    """Whoever carries it out says what became of it: it may have been sent."""
    model, act = cancelled()
    model, _ = play(model, GONE)
    assert list(model.calls) == [act.call]
    model, _ = play(model, answer(act, is_done=False, is_unknown=True))
    assert text_of(model).startswith("OUTCOME UNKNOWN")


def test_the_screens_own_questions_are_not() -> None:
    model, _ = play(press(desk(stop()), "m", "ctrl-u", "9"), GONE)
    assert not model.calls


# -- undo


def undone(*roles: str, **changes: Any) -> tuple[Model, Answered]:
    model, effects = play(desk(entry(), **changes), "u")
    orders = [{"role": role} for role in roles]
    data = {"orders": orders, "act": "17-stop", "reduces": "entry" not in roles}
    return model, answer(the_act(effects), data=data, lines=("would place again",))


def test_exits_come_back_after_one_key() -> None:
    model, told_by_trader = undone("stop", "TARGET")
    model, _ = wait(play(model, told_by_trader)[0], 0.5)
    assert asking(model).lines == ("would place again",)
    act = the_act(play(model, "y")[1])
    shown = {"only": "17-stop"}
    assert (act.command, act.options, act.looks) == ("protect.undo", shown, False)


def test_undo_is_read_before_it_is_agreed_to() -> None:
    model, told_by_trader = undone("stop")
    assert not play(model, told_by_trader, "y")[1]


def test_what_opens_comes_back_after_a_while() -> None:
    model, told_by_trader = undone("entry", "stop")
    model, _ = wait(play(model, told_by_trader)[0], 0.5)
    model, effects = play(model, "y")
    assert not effects
    assert model.staged is not None
    assert the_act(wait(model, 1.6)[1]).command == "protect.undo"


def test_what_cannot_be_read_opens_something() -> None:
    model, effects = play(desk(), "u")
    model, _ = play(model, answer(the_act(effects), data={"orders": ["17-stop"]}))
    assert asking(model).choices[0].is_staged


def test_in_a_closed_market_only_exits_come_back() -> None:
    model, told_by_trader = undone("entry", head=head(is_open=False))
    model, _ = play(model, told_by_trader)
    assert (model.dialog, text_of(model)) == (None, f"undo: {SHUT}")
    model, told_by_trader = undone("stop", head=head(is_open=False))
    assert asking(play(model, told_by_trader)[0]).choices


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ({"lines": ("nothing was cancelled today",)}, "undo: nothing was cancelled today"),
        ({}, "undo: there is nothing to undo"),
        (
            {"is_done": False, "lines": ("busy",), "data": {"orders": [{"role": "stop"}]}},
            "undo: busy",
        ),
    ],
)
def test_there_is_nothing_to_undo(outcome: dict[str, Any], text: str) -> None:
    model, effects = play(desk(), "u")
    model, _ = play(model, answer(the_act(effects), **outcome))
    assert (model.dialog, text_of(model)) == (None, text)


def test_undo_does_not_push_a_dialog_aside() -> None:
    model, told_by_trader = undone("stop")
    model, _ = play(press(model, "/"), told_by_trader)
    assert filtering(model).text == ""
    assert text_of(model) == "undo: something else is open; press u again"


def test_without_a_trader_nothing_is_undone() -> None:
    model, effects = play(desk(), GONE, "u")
    assert (effects, text_of(model)) == ([], "nothing was sent: the trader is gone")


def test_a_market_that_closes_before_yes_is_said() -> None:
    model, told_by_trader = undone("entry")
    model, _ = wait(play(model, told_by_trader)[0], 0.5)
    model, effects = play(model, glimpse(head=head(is_open=False)), "y")
    assert (effects, model.staged, text_of(model)) == ([], None, SHUT)


def test_leaving_hangs_up() -> None:
    model = Model(operator="ann", is_own=True)
    for question in (YES_NO, A_WORD):
        after, effects = play(model, question, Interrupted())
        assert effects == [Reply(call=1, text=None)]
        assert asking(after).title == "Leave?"
    assert play(model, Interrupted(), Interrupted())[1] == [
        Leave(ends_trader=True, is_interrupted=True)
    ]


def test_nothing_of_it_changes_anything() -> None:
    model, effects = play(desk(entry()), "enter", "escape", "u", "m", "1", "escape", "?", "escape")
    assert not changing(effects)
    assert looking(effects)
    assert model.dialog is None
