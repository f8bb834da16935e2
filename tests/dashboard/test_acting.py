from __future__ import annotations

import pytest

from ibkr_trader.dashboard.inputs import Linked
from ibkr_trader.dashboard.model import Model, Tone
from ibkr_trader.dashboard.steps import READ
from tests.dashboard.play import (
    answer,
    asking,
    changing,
    desk,
    entry,
    glimpse,
    guarded,
    head,
    held,
    play,
    press,
    stop,
    text_of,
    the_act,
    told,
    typed,
    typing,
    wait,
)

LAST = stop(is_last_stop=True)
GONE = Linked(is_up=False, words="the trader is gone")


# -- c


def test_a_cancel_goes_out_at_once() -> None:
    model, effects = play(desk(entry()), "c")
    act = the_act(effects)
    assert (act.command, act.options) == ("revise.cancel", {"orders": [entry().order_id]})
    assert act.words == "cancel 18-entry BUY 10 MSFT LIMIT 150.00"
    assert (model.dialog, text_of(model)) == (None, f"{act.words} …")


def test_a_cancel_of_what_was_typed() -> None:
    model, effects = play(desk(entry(), stop()), *typed("117"), "c")
    assert the_act(effects).options == {"orders": [stop().order_id]}
    assert not model.typed_id


def test_a_number_of_nobody_cancels_nothing_and_is_forgotten() -> None:
    model, effects = play(desk(entry()), *typed("99"), "c")
    assert (effects, model.typed_id, told(model).tone) == ([], "", Tone.WARNING)
    assert text_of(model) == "no active order has the number 99; nothing was done"


def test_the_last_stop_goes_only_once_its_symbol_is_typed() -> None:
    model, effects = play(desk(LAST, positions=(guarded(),)), "c")
    assert not effects
    dialog = typing(model)
    assert dialog.is_grave
    assert dialog.expected == "AAPL"
    assert "nothing protects" in dialog.lines[0]
    model, effects = play(model, *typed("AAP"), "enter")
    assert not effects
    assert typing(model).fault == "that is not AAPL; Esc leaves everything as it is"
    model, effects = play(model, "L", "enter")
    assert the_act(effects).options == {"orders": [LAST.order_id]}
    assert model.dialog is None


def test_escape_keeps_the_last_stop() -> None:
    model, effects = play(desk(LAST, positions=(guarded(),)), "c", *typed("AAPL"), "escape")
    assert (effects, model.dialog) == ([], None)


def test_the_last_stop_may_be_gone_when_its_symbol_is_typed() -> None:
    model = press(desk(LAST, positions=(guarded(),)), "c", *typed("AAPL"))
    model, effects = play(model, glimpse(gone=(LAST.order_id,)), "enter")
    assert (effects, model.dialog) == ([], None)
    assert "no longer active" in text_of(model)


def two_stops() -> Model:
    """Return a desk with two stops, each of which covers all: neither is the last one."""
    return desk(stop(17), stop(18), positions=(guarded(),))


def test_the_second_of_two_stops_is_the_last_one_before_the_picture_says_so() -> None:
    model, effects = play(two_stops(), "c", "j", "c")
    assert [act.options for act in changing(effects)] == [{"orders": [stop(17).order_id]}]
    assert typing(model).expected == "AAPL"


def test_it_still_is_once_the_first_is_confirmed_but_still_shown() -> None:
    model, effects = play(two_stops(), "c", "j")
    model, effects = play(model, answer(the_act(effects)), "c")
    assert (effects, typing(model).expected) == ([], "AAPL")


def test_a_cancel_that_failed_has_taken_no_stop_away() -> None:
    model, effects = play(two_stops(), "c", "j")
    model, effects = play(model, answer(the_act(effects), is_done=False, lines=("no",)), "c")
    assert changing(effects)


def test_a_cancel_that_may_have_worked_counts_as_one() -> None:
    model, effects = play(two_stops(), "c", "j")
    unknown = answer(the_act(effects), is_done=False, is_unknown=True)
    model, effects = play(model, unknown, "escape", "c")
    assert (effects, typing(model).expected) == ([], "AAPL")


def test_the_first_stop_that_is_gone_is_the_pictures_business_again() -> None:
    model, _ = play(two_stops(), "c", "j")
    model, effects = play(model, glimpse(gone=(stop(17).order_id,), positions=(guarded(),)), "c")
    assert changing(effects)
    assert not model.cancelling.get(stop(17).order_id)


@pytest.mark.parametrize("other", [stop(18, "NVDA"), entry(18, "AAPL")])
def test_stops_of_others_are_nothing_to_it(other: object) -> None:
    assert isinstance(other, type(stop()))
    model = desk(other, stop(17), positions=(guarded(), held("NVDA")))
    assert len(changing(play(model, "c", "j", "c")[1])) == 2


def test_without_a_position_there_is_no_last_stop() -> None:
    assert len(changing(play(desk(stop(17), stop(18)), "c", "j", "c")[1])) == 2


def test_a_key_that_is_held_down_cancels_once() -> None:
    model, effects = play(desk(entry()), "c", "c", "c")
    assert len(changing(effects)) == 1
    assert text_of(model) == "18-entry is being cancelled already"
    model, _ = wait(model, 3.1)
    assert changing(play(model, "c")[1]), "nothing that lowers risk is held up for good"


def test_a_cancel_that_failed_may_be_tried_again_at_once() -> None:
    model, effects = play(desk(entry()), "c")
    failed = answer(the_act(effects), is_done=False, lines=("no",))
    assert changing(play(model, failed, "c")[1])


# -- a


def test_cancel_all_asks_for_one_key() -> None:
    model, effects = play(desk(entry(), entry(19), stop(20, is_foreign=True)), "a")
    assert not effects
    assert asking(model).lines[0] == "2 orders of ours would be cancelled."
    assert not asking(model).is_grave
    assert not play(model, "y")[1], "a paste of two letters must not agree to what nobody has read"
    model, effects = play(wait(model, READ)[0], "y")
    assert the_act(effects).options == {"everything": True}
    assert set(model.cancelling) == {entry().order_id, entry(19).order_id}


@pytest.mark.parametrize("key", ["n", "a", "enter", "Y", "j", "c"])
def test_every_other_key_is_no(key: str) -> None:
    model, effects = play(press(desk(entry()), "a"), key)
    assert (effects, model.dialog) == ([], None)
    assert text_of(model) == "Cancel all orders? No: nothing was done"


def test_the_stop_of_an_entry_that_works_is_no_spare_one() -> None:
    """Without it the entry would open a position that nothing protects."""
    child = stop(17, is_last_stop=False)
    model = press(desk(entry(17), child), "j", "c")
    dialog = typing(model)
    assert dialog.expected == "AAPL"
    assert "nothing protects what 17-entry may open" in dialog.lines[0]
    spare = stop(17, order_id="k7qav-17-stop.2", short="17-stop.2", is_last_stop=False)
    model, effects = play(desk(entry(17), child, spare), "j", "c")
    assert changing(effects), "another one of its group is there"


def test_there_is_nothing_to_cancel() -> None:
    assert text_of(press(desk(stop(is_foreign=True)), "a")) == "there is no order of ours to cancel"
    assert press(Model(), "a").dialog is None


def test_cancel_all_says_that_a_filter_is_no_bound() -> None:
    model = press(desk(entry(), stop()), "/", *typed("msft"), "enter", "a")
    assert 'not only those that the filter "msft" shows' in " ".join(asking(model).lines)


def test_cancel_all_takes_the_last_stops_only_for_a_word() -> None:
    model = press(desk(entry(), LAST, positions=(guarded(),)), "a")
    dialog = typing(model)
    assert dialog.expected == "AAPL"
    assert "Nothing would protect AAPL any more." in dialog.lines
    assert not play(model, "y", "enter")[1]
    assert the_act(play(model, *typed("AAPL"), "enter")[1]).options == {"everything": True}


def test_cancel_all_takes_several_last_stops_for_another_word() -> None:
    positions = (guarded(), guarded(18, "NVDA"))
    model = press(desk(LAST, stop(18, "NVDA"), positions=positions), "a")
    assert typing(model).expected == "ALL"
    assert "AAPL, NVDA" in " ".join(typing(model).lines)


def test_the_stop_of_an_entry_that_has_not_traded_protects_nothing() -> None:
    assert not asking(press(desk(entry(17, "AAPL"), stop(17)), "a")).is_grave


def test_an_open_question_says_what_is_true_now() -> None:
    model, _ = play(press(desk(entry()), "a"), glimpse(entry(19)))
    assert asking(model).lines[0] == "2 orders of ours would be cancelled."
    bare, _ = play(model, glimpse(stop(), positions=(guarded(),)))
    assert typing(bare).expected == "AAPL"
    model, _ = play(model, glimpse(gone=(entry().order_id, entry(19).order_id)))
    assert asking(model).choices
    model, effects = play(model, "y")
    assert (effects, text_of(model)) == ([], "read the question first: that key was not taken")
    model, effects = play(wait(model, READ)[0], "y")
    assert (effects, text_of(model)) == ([], "there is no order of ours to cancel any more")


def test_what_is_being_typed_is_asked_anew_when_more_would_go() -> None:
    model = press(desk(stop(), positions=(guarded(),)), "a", "A", "A")
    first = typing(model)
    same, _ = play(model, glimpse(positions=(guarded(),)))
    assert typing(same) == first, "nothing that it says has changed"
    other, second = stop(7, "MSFT"), guarded(7, "MSFT")
    model, _ = play(model, glimpse(other, positions=(guarded(), second)))
    dialog = typing(model)
    assert (dialog.expected, dialog.text) == ("ALL", "")
    assert "MSFT" in " ".join(dialog.lines)
    assert dialog.fault == "it has changed: read it again"


# -- x


def test_closing_asks_for_one_key() -> None:
    model = press(desk(positions=(guarded(),)), "backtab", "x")
    dialog = asking(model)
    assert dialog.title == "Close AAPL?"
    assert dialog.choices[0].label == "sell 10 AAPL at the market"
    act = the_act(play(model, "y")[1])
    assert (act.command, act.options) == ("revise.close", {"symbol": "AAPL"})
    assert act.words == "close AAPL"


def test_closing_a_short_position_buys() -> None:
    model = press(desk(positions=(held(quantity=-3),)), "backtab", "x")
    assert asking(model).choices[0].label == "buy 3 AAPL at the market"


def test_there_is_nothing_to_close() -> None:
    model, effects = play(desk(entry()), "x")
    assert (effects, model.dialog, text_of(model)) == ([], None, "nothing is held in MSFT")


def test_closing_names_what_the_same_name_closes() -> None:
    """The command takes a ticker, and that means the options on it, too."""
    option = held("AAPL 2027-01-15 150 C", 2, con_id=50, ticker="AAPL270115C00150000")
    odd = held("?", 1, con_id=51, ticker="?")
    zero = held("AAPL", 0, con_id=52)
    other = held("NVDA")
    model = press(desk(positions=(held(), option, odd, zero, other)), "backtab", "x")
    assert asking(model).is_grave
    assert asking(model).choices[0].label == (
        "sell 10 AAPL at the market; sell 2 AAPL 2027-01-15 150 C at the market"
    )
    model = press(desk(positions=(held(), option)), "backtab", "j", "x")
    assert asking(model).choices[0].label == "sell 2 AAPL 2027-01-15 150 C at the market"


def test_closing_says_that_it_is_under_way() -> None:
    model = press(desk(positions=(held(is_closing=True),)), "backtab", "x")
    assert asking(model).lines[-1] == "It is on its way to flat already."


def test_closing_follows_the_size_while_it_is_asked() -> None:
    model = press(desk(positions=(held(),)), "backtab", "x")
    model, _ = play(model, glimpse(positions=(held(quantity=30),)))
    assert asking(model).choices[0].label == "sell 30 AAPL at the market"
    model, _ = play(model, glimpse())
    assert asking(model).choices, "a question does not go away under one's finger"
    assert not play(model, "y")[1], "what is new is read first"
    model, effects = play(wait(model, READ)[0], "y")
    assert (effects, text_of(model)) == (
        [],
        "nothing is held in AAPL any more; nothing was sent",
    )


def test_closing_says_that_it_takes_entries_back() -> None:
    model = press(desk(entry(17, "AAPL"), positions=(held(),)), "backtab", "x")
    assert "What could still open is cancelled, too: 17-entry." in asking(model).lines


def test_closing_works_while_the_market_is_closed() -> None:
    model = desk(positions=(held(),), head=head(is_open=False))
    assert changing(play(press(model, "backtab", "x"), "y")[1])
