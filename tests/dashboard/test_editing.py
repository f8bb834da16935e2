"""`m` and `t` on an order: what is weighed, what is sent, and what has moved in between."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.inputs import Answered, Linked, Outcome, Pasted
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.steps import SHUT, replaced
from tests.dashboard.play import (
    answer,
    changing,
    desk,
    editing,
    entry,
    glimpse,
    guarded,
    head,
    looking,
    play,
    press,
    stop,
    text_of,
    the_act,
    typed,
    wait,
    weight,
)

TO_147 = ("m", "ctrl-u", *typed("147"))
GONE = Linked(is_up=False, words="the trader is gone")
SHUT_HEAD = head(is_open=False)


def weighing(model: Model, *keys: str) -> tuple[Model, Act]:
    """Return the model after these keys, and the last question that they led to."""
    model, effects = play(model, *keys)
    assert not changing(effects)
    return model, looking(effects)[-1]


def ready(*, reduces: bool | None = True, **changes: Any) -> Model:
    """Return a desk where 147 is typed for the stop of AAPL, and weighed."""
    model = press(desk(stop(), positions=(guarded(),), **changes), "m", "ctrl-u")
    model, effects = play(model, Pasted("147"))
    return play(model, weight(the_act(effects), reduces=reduces))[0]


# -- what is typed


def test_the_dialog_begins_with_the_terms_as_they_are() -> None:
    dialog = editing(press(desk(stop(), positions=(guarded(),)), "m"))
    assert [(one.name, one.text, one.was) for one in dialog.fields] == [
        ("quantity", "10", "10"),
        ("stop", "145.00", "145.00"),
    ]
    assert (dialog.at, dialog.before) == (1, stop())
    assert dialog.title == "Modify 17-stop  SELL 10 AAPL STOP"


def test_each_kind_of_order_has_its_fields() -> None:
    assert [one.name for one in editing(press(desk(entry()), "m")).fields] == ["quantity", "limit"]
    market = entry(can_limit=False, limit=None)
    dialog = editing(press(desk(market), "m"))
    assert ([one.name for one in dialog.fields], dialog.at) == (["quantity"], 0)


def test_a_quantity_stands_there_without_decimals() -> None:
    assert editing(press(desk(entry(quantity=Decimal("10.00"))), "m")).fields[0].text == "10"


def test_no_order_to_modify() -> None:
    model, effects = play(desk(), "m")
    assert (effects, model.dialog, text_of(model)) == ([], None, "there is no order here")


def test_fields_are_walked_through() -> None:
    model = press(desk(stop(can_limit=True, limit=Decimal(144))), "m")
    seen = []
    for key in ("tab", "down", "backtab", "up", "up"):
        model = press(model, key)
        seen.append(editing(model).at)
    assert seen == [2, 0, 2, 1, 0]


@pytest.mark.parametrize("key", ["x", "%", "-", "e", " ", ",", "é"])
def test_what_is_no_figure_is_shown_and_refused(key: str) -> None:
    """A figure with a letter left out is another figure: 4e2 is not 42, nor 405,5 4055."""
    model, effects = play(desk(stop()), "m", "4", key, "2", "enter")
    assert editing(model).fields[1].text == f"4{key}2"
    assert editing(model).fault == f"Stop: '4{key}2' is no price"
    assert not changing(effects)


@pytest.mark.parametrize("key", ["f5", "home", ""])
def test_keys_without_a_letter_write_nothing(key: str) -> None:
    model, effects = play(desk(stop()), "m", key)
    assert (editing(model).fields[1].text, effects) == ("145.00", [])


def test_typing_edits_the_field() -> None:
    model = press(desk(stop()), "m", "backspace", "backspace", "5", "0")
    assert editing(model).fields[1].text == "145.50"
    model = press(model, "ctrl-u", *"1" * 40)
    assert editing(model).fields[1].text == "1" * 24


def test_escape_leaves_it_as_it_is() -> None:
    model, effects = play(desk(stop()), *TO_147, "escape")
    assert model.dialog is None
    assert not changing(effects)


def test_what_is_pasted_is_a_figure_or_nothing() -> None:
    model, effects = play(desk(stop()), "m", Pasted(" 147.25\n"))
    assert editing(model).fields[1].text == "147.25"
    assert looking(effects)[0].options["stop"] == "147.25"
    model, effects = play(desk(stop()), "m", Pasted("147\n148"))
    assert (effects, editing(model).fault) == ([], "what was pasted is no figure")


# -- what the trader says of it


def test_terms_are_weighed_as_they_are_typed() -> None:
    model, act = weighing(desk(stop()), "m", "backspace", "5")
    assert (act.command, act.looks) == ("screen.weigh", True)
    assert act.options["stop"] == "145.05"
    dialog = editing(model)
    assert (dialog.asked, dialog.asked_call) == (("10", "145.05"), act.call)


def test_one_question_at_a_time_and_the_last_terms_at_last() -> None:
    model, effects = play(desk(stop()), *TO_147)
    (first,) = looking(effects)
    assert first.options == {
        "order": stop().order_id,
        "quantity": "",
        "limit": "",
        "stop": "1",
    }
    model, effects = play(model, weight(first))
    (second,) = looking(effects)
    assert second.options["stop"] == "147"
    model, effects = play(model, weight(second))
    assert not effects
    dialog = editing(model)
    assert (dialog.asked, dialog.asked_call) == (None, 0)
    assert dialog.weighed is not None
    assert dialog.weighed.typed == ("10", "147")
    assert (dialog.weighed.reduces, dialog.weighed.notes) == (True, ("tick 0.01",))


def test_what_is_no_change_is_not_asked_about() -> None:
    model, effects = play(desk(stop()), "m", "backspace", "backspace", "backspace")
    assert not effects
    assert editing(model).weighed is None


def test_a_fault_is_said_in_place() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, _ = play(model, weight(act, fault="9 is below the limit"))
    assert editing(model).fault == "9 is below the limit"
    model, effects = play(model, "enter")
    assert (effects, editing(model).fault) == ([], "9 is below the limit")


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome(is_done=False, lines=("no such order", "fix: …")), "no such order"),
        (Outcome(is_done=False, code="busy"), "the trader cannot say: busy"),
        (Outcome(is_done=False, data={"reduces": True}), "the trader cannot say: "),
    ],
)
def test_what_cannot_be_weighed_is_not_sent(outcome: Outcome, fault: str) -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, effects = play(model, "enter", Answered(act.call, outcome), "enter")
    assert editing(model).fault == fault
    assert not changing(effects)
    assert model.staged is None


@pytest.mark.parametrize("reduces", [None, "yes", 1, "true"])
def test_only_a_plain_yes_lowers_risk(reduces: Any) -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, _ = play(model, answer(act, data={"reduces": reduces, "notes": None}))
    assert (weighed := editing(model).weighed) is not None
    assert weighed.reduces is None
    model, effects = play(model, "enter")
    assert not effects
    assert model.staged is not None


# -- enter


def test_what_lowers_risk_goes_at_once() -> None:
    model, effects = play(ready(), "enter")
    act = the_act(effects)
    assert (act.command, act.words) == (
        "revise.modify",
        "modify 17-stop SELL AAPL: stop 145.00 → 147",
    )
    assert act.options == {"order": stop().order_id, "stop": "147"}
    assert (model.dialog, model.staged) == (None, None)


def test_only_what_is_changed_is_sent() -> None:
    model, effects = play(desk(entry()), "m", "backtab", "backspace", "2")
    model, effects = play(model, weight(looking(effects)[0]))
    assert not changing(effects)
    more = looking(effects)
    model, effects = play(model, *(weight(one) for one in more), "enter")
    assert changing(effects)[0].options == {"order": entry().order_id, "quantity": "12"}


def test_enter_waits_for_the_traders_word() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, effects = play(model, "enter", "enter")
    assert not effects
    assert editing(model).is_sending
    model, effects = play(model, weight(act))
    assert the_act(effects).options["stop"] == "9"


def test_whatever_is_typed_after_enter_takes_it_back() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, effects = play(model, "enter", "8", weight(act))
    assert not changing(effects)
    model, effects = play(model, weight(looking(effects)[0]))
    assert not effects
    assert not editing(model).is_sending


def test_enter_while_older_terms_are_weighed() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", *typed("98"))
    model, effects = play(model, "enter", weight(act))
    assert not changing(effects)
    assert the_act(play(model, weight(looking(effects)[0]))[1]).options["stop"] == "98"


def test_enter_with_nothing_changed() -> None:
    model, effects = play(desk(stop()), "m", "enter")
    assert (effects, editing(model).fault) == ([], "nothing is changed")


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (("ctrl-u", "enter"), "Stop is empty; it was 145.00"),
        (("ctrl-u", "1", ".", ".", "enter"), "Stop: '1..' is no price"),
        (("backtab", ".", "5", "enter"), "Quantity: '.5' is no whole number"),
        (("backtab", "ctrl-u", "0", "enter"), "Quantity: '0' is no whole number"),
    ],
)
def test_what_is_no_figure_is_refused_in_place(keys: tuple[str, ...], fault: str) -> None:
    model, effects = play(desk(stop()), "m", *keys)
    assert editing(model).fault == fault
    assert not changing(effects)


def test_an_order_may_be_gone_when_enter_is_pressed() -> None:
    model, effects = play(ready(), glimpse(gone=(stop().order_id,)), "enter")
    assert (effects, model.dialog) == ([], None)
    assert text_of(model) == "17-stop is no longer active; nothing was sent"


def test_an_answer_for_another_order_counts_for_nothing() -> None:
    """The first order's 9 lowers risk; the second one's has not been answered at all."""
    model, first = weighing(desk(stop(17), stop(18)), "m", "ctrl-u", "9")
    model, second = weighing(model, "escape", "j", "m", "ctrl-u", "9")
    assert first.options["order"] != second.options["order"]
    model, effects = play(model, "enter", weight(first))
    assert not effects
    assert editing(model).asked_call == second.call
    model, effects = play(model, weight(second, reduces=False))
    assert not effects
    assert model.staged is not None


def test_an_answer_from_before_the_terms_changed_counts_for_nothing() -> None:
    """147 was tighter than 145 when it was weighed. Now it works at 149: 147 would loosen it."""
    moved = stop(stop=Decimal(149), terms="149.00")
    model, effects = play(ready(), glimpse(moved, positions=(guarded(),)), "enter")
    assert not effects
    dialog = editing(model)
    assert dialog.fault == "it is now 10 at 149.00; Enter sends all the same"
    assert [(one.text, one.was) for one in dialog.fields] == [("10", "10"), ("147", "149")]
    model, effects = play(model, "enter")
    assert not changing(effects)
    (again,) = looking(effects)
    model, effects = play(model, weight(again, reduces=False))
    assert not effects
    assert model.staged is not None


def test_an_answer_on_its_way_when_the_terms_changed_counts_for_nothing() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, effects = play(model, glimpse(stop(terms="149.00")), "enter", weight(act))
    assert not effects
    assert editing(model).weighed is None


def test_fields_that_were_not_touched_follow_the_order() -> None:
    model, _ = play(ready(), glimpse(stop(quantity=Decimal(6))), "enter")
    assert [(one.text, one.was) for one in editing(model).fields] == [
        ("6", "6"),
        ("147", "145.00"),
    ]


def test_fields_may_be_fewer_after_a_change() -> None:
    fewer = stop(can_stop=False, stop=None, terms="trail 2%")
    model, _ = play(ready(), glimpse(fewer), "enter")
    assert ([one.name for one in editing(model).fields], editing(model).at) == (["quantity"], 0)
    assert editing(press(model, "enter")).fault == "nothing is changed"


def test_an_answer_for_other_terms_counts_for_nothing() -> None:
    model = ready()
    other = replaced(editing(model).weighed, typed=("10", "146"))  # type: ignore[arg-type]  # any struct
    dialog = replaced(editing(model), weighed=other)  # type: ignore[arg-type]  # as above
    assert not changing(play(replaced(model, dialog=dialog), "enter")[1])


def test_an_old_answer_is_asked_for_again() -> None:
    model, _ = wait(ready(), 10.2)
    model, effects = play(model, "enter")
    (again,) = looking(effects)
    assert not changing(effects)
    assert the_act(play(model, weight(again))[1]).command == "revise.modify"


def test_a_trader_that_does_not_answer_is_not_waited_for() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, effects = play(model, "enter")
    model, effects = wait(model, 5.1)
    assert not effects
    assert editing(model).fault == "the trader does not answer; Enter asks it again"
    model, effects = play(model, weight(act))
    assert not effects, "too late"
    model, effects = play(model, "enter")
    assert the_act(play(model, weight(looking(effects)[0]))[1]).command == "revise.modify"


def test_a_trader_that_is_gone_is_not_waited_for() -> None:
    model, act = weighing(desk(stop()), "m", "ctrl-u", "9")
    model, effects = play(model, "enter", GONE, weight(act))
    assert not effects
    dialog = editing(model)
    assert (dialog.asked, dialog.is_sending) == (None, False)
    assert dialog.fault == "the trader is gone: nothing was sent"
    model, effects = play(model, "8", "enter")
    assert not effects
    assert editing(model).fault == "nothing was sent: the trader is gone"
    model, effects = play(model, glimpse(stop(), is_first=True), "enter")
    assert the_act(play(model, weight(looking(effects)[0]))[1]).options["stop"] == "98"


def test_a_trader_that_goes_after_it_has_weighed() -> None:
    model, effects = play(ready(), GONE, "enter")
    assert not effects
    assert text_of(model) == "nothing was sent: the trader is gone"
    model, effects = play(ready(reduces=False), GONE, "enter")
    assert (effects, model.staged) == ([], None)


# -- what adds risk


def test_what_may_add_risk_waits_where_one_sees_it() -> None:
    model, effects = play(ready(reduces=False), "enter")
    assert (effects, model.dialog) == ([], None)
    assert model.staged is not None
    assert model.staged.act.options["stop"] == "147"
    model, effects = wait(model, 1.45)
    assert not effects
    model, effects = wait(model, 0.1)
    assert the_act(effects).command == "revise.modify"


def test_in_a_closed_market_it_is_refused_in_place() -> None:
    model, effects = play(ready(reduces=False, head=SHUT_HEAD), "enter")
    assert (effects, model.staged, editing(model).fault) == ([], None, SHUT)
    # By way of an Enter that waited: the dialog must not wait for ever after.
    model, act = weighing(desk(stop(), head=SHUT_HEAD), "m", "ctrl-u", "9")
    model, effects = play(model, "enter", weight(act, reduces=False))
    assert editing(model).fault == SHUT
    assert looking(play(model, "8")[1])


def test_in_a_closed_market_risk_can_be_lowered() -> None:
    assert changing(play(ready(head=SHUT_HEAD), "enter")[1])
