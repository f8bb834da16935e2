from __future__ import annotations

from ibkr_trader.dashboard.inputs import Linked
from ibkr_trader.dashboard.model import Line, Model, Tone
from ibkr_trader.dashboard.steps import (
    HALT,
    SHUT,
    STAGE,
    cancelled_by,
    command,
    is_shut,
    perform,
    say,
    stage,
    stay,
    unsent,
)
from tests.dashboard.play import desk, entry, head, play, stop, text_of, told

ACT = command("revise.modify", "modify it", order="k7qav-17-stop", stop="147")


def test_a_notice_stays_for_a_while() -> None:
    model, effects = say(Model(now=50.0), "hello", Tone.DONE, typed_id="1")
    assert (text_of(model), told(model).tone, model.typed_id, effects) == (
        "hello",
        Tone.DONE,
        "1",
        (),
    )
    assert told(model).until > 50.0


def test_an_act_gets_a_number_of_its_own() -> None:
    one, (first,) = perform(desk(stop()), ACT)
    two, (second,) = perform(one, ACT)
    assert (getattr(first, "call", 0), getattr(second, "call", 0)) == (1, 2)
    assert list(two.calls) == [1, 2]
    assert text_of(two) == "modify it …"


def test_a_question_says_nothing() -> None:
    model, _ = perform(desk(), command("screen.weigh", "weigh", looks=True))
    assert model.notice is None


def test_nothing_but_a_halt_goes_out_without_a_trader() -> None:
    down = stay(desk(stop()), line=Line(is_up=False, words="it is gone"))[0]
    model, effects = perform(down, ACT, dialog=None)
    assert effects == ()
    assert text_of(model) == "nothing was sent: it is gone"
    assert told(model).tone is Tone.FAULT
    assert not model.calls
    assert perform(down, command(HALT, "halt"))[1]
    assert unsent(Model(line=Line(words=""))) == "nothing was sent: no trader"


def test_what_is_staged_waits_and_does_nothing_yet() -> None:
    model, effects = stage(desk(stop()), ACT, before=stop())
    assert effects == ()
    assert model.staged is not None
    assert (model.staged.act, model.staged.before) == (ACT, stop())
    assert model.staged.ends - model.staged.begins == STAGE >= 1.5


def test_nothing_is_staged_for_nobody() -> None:
    model, _ = play(desk(stop()), Linked(is_up=False, words="it is gone"))
    after, effects = stage(model, ACT)
    assert (after.staged, effects, text_of(after)) == (None, (), "nothing was sent: it is gone")


def test_nothing_is_staged_in_a_closed_market() -> None:
    shut = desk(stop(), head=head(is_open=False))
    assert is_shut(shut)
    after, effects = stage(shut, ACT)
    assert (after.staged, effects, text_of(after)) == (None, (), SHUT)
    assert not is_shut(desk(head=head(is_open=None)))
    assert not is_shut(Model())


def test_what_is_being_cancelled_is_known_until_it_is_gone() -> None:
    model = desk(stop(), entry(), stop(20, is_foreign=True))
    one = command("revise.cancel", "cancel", orders=[stop().order_id])
    every = command("revise.cancel", "cancel all", everything=True)
    assert cancelled_by(model, one) == (stop().order_id,)
    assert cancelled_by(model, every) == (stop().order_id, entry().order_id)
    assert cancelled_by(Model(), every) == ()
    assert dict(perform(model, one)[0].cancelling) == {stop().order_id: model.now}


def test_options_may_be_named_like_a_word_of_python() -> None:
    act = command("x", "words", more={"order": "17"}, stop="1")
    assert act.options == {"stop": "1", "order": "17"}
