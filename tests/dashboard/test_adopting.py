"""`d`: a position, or an order of a lost journal, is handed to the desk."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.cli.face import DESK_COMMANDS
from ibkr_trader.dashboard.inputs import Linked
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.scene import OrderRow
from ibkr_trader.dashboard.steps import READ
from ibkr_trader.dashboard.view import view
from tests.dashboard.play import (
    answer,
    asking,
    changing,
    desk,
    entry,
    glimpse,
    guarded,
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
    wait,
)

GONE = Linked(is_up=False, words="the trader is gone")
WOULD = ("SIM ***01  would adopt +10 AAPL", "  stops end all of it already", "Nothing was sent.")


def lost(**changes: object) -> OrderRow:
    """An order of a lost journal, as the screen has it."""
    known = {"order_id": "foreign-77", "short": "foreign-77", "is_foreign": True, "number": 117}
    return stop(**(known | changes))  # type: ignore[arg-type]  # fields of every kind


def covered() -> Model:
    return press(desk(stop(), positions=(guarded(),)), "backtab")


def test_a_covered_position_is_shown_first_and_needs_one_key() -> None:
    model, effects = play(covered(), "d")
    (act,) = looking(effects)
    assert (act.command, act.options) == ("recover.adopt", {"symbol": "AAPL"})
    assert not changing(effects)
    model, _ = play(model, answer(act, lines=WOULD))
    assert asking(model).title == "Adopt AAPL?"
    assert asking(model).lines == (WOULD[0], "stops end all of it already")
    assert not play(model, "y")[1], "a key that was meant for something else is no answer"
    sent = the_act(play(wait_to_read(model), "y")[1])
    assert (sent.command, sent.options, sent.looks) == (act.command, act.options, False)


def wait_to_read(model: Model) -> Model:
    return wait(model, READ)[0]


def test_every_other_key_leaves_it() -> None:
    model, effects = play(covered(), "d")
    model = wait_to_read(play(model, answer(looking(effects)[0], lines=WOULD))[0])
    model, effects = play(model, "n")
    assert (effects, model.dialog) == ([], None)


def test_a_bare_position_is_asked_for_its_stop() -> None:
    model = press(desk(positions=(held(covered=Decimal(4)),)), "backtab", "d")
    assert typing(model).title == "Adopt +10 AAPL"
    assert typing(model).lines[1].startswith("6 of it have no stop.")
    assert not play(model, "enter")[1]
    act = the_act(play(model, *typed("3%"), "enter")[1])
    assert (act.command, act.options) == ("recover.adopt", {"symbol": "AAPL", "stop": "3%"})
    assert (act.words, act.looks) == ("adopt AAPL", False)


def test_what_is_flat_meanwhile_is_not_adopted() -> None:
    model = press(desk(positions=(held(),)), "backtab", "d", *typed("3%"))
    model, effects = play(model, glimpse(), "enter")
    assert (effects, text_of(model)) == ([], "nothing is held in AAPL any more; nothing was sent")


def test_an_order_of_ours_means_its_position() -> None:
    act = looking(play(desk(stop(), positions=(guarded(),)), "d")[1])[0]
    assert act.options == {"symbol": "AAPL"}
    model, effects = play(desk(entry()), "d")
    assert (effects, text_of(model)) == ([], "nothing is held in MSFT")


@pytest.mark.parametrize("keys", [("d",), (*typed("117"), "d")])
def test_a_foreign_order_is_taken_over_by_its_permanent_id(keys: tuple[str, ...]) -> None:
    model, effects = play(desk(lost()), *keys)
    (act,) = looking(effects)
    assert (act.command, act.words) == ("recover.adopt", "take over foreign-77")
    assert act.options == {"symbol": "AAPL", "order": ["77"]}
    unproven = "k7qav-3-stop: k7qav-3-entry is not at the broker any more"
    model, _ = play(model, answer(act, lines=("…",), data={"unproven": [unproven]}))
    assert asking(model).title == "Take over foreign-77?"
    assert asking(model).lines[1:] == (unproven, "Nothing is sent.")
    sent = the_act(play(wait_to_read(model), "y")[1])
    assert (sent.options, sent.looks) == (act.options, False)


def test_one_that_ended_meanwhile_is_not_taken_over() -> None:
    model, effects = play(desk(lost()), "d")
    model, _ = play(model, answer(looking(effects)[0]), glimpse(gone=("foreign-77",)))
    model, effects = play(wait_to_read(model), "y")
    assert not effects
    assert "it is no longer active; nothing was sent" in text_of(model)


def test_one_without_a_permanent_id_is_left() -> None:
    model, effects = play(desk(lost(order_id="foreign-9-3")), "d")
    assert not effects
    assert "has not said its permanent id" in text_of(model)


def test_what_the_trader_refuses_is_said() -> None:
    model, effects = play(covered(), "d")
    act = looking(effects)[0]
    said, _ = play(model, answer(act, is_done=False, lines=("AAPL is being closed",)))
    assert text_of(said) == "adopt AAPL: AAPL is being closed"
    said, _ = play(model, answer(act, is_done=False))
    assert text_of(said) == "adopt AAPL: the trader cannot say"
    said, _ = play(model, answer(act, is_done=False, lines=("one", "two")))
    assert reading(said).lines == ("one", "two")


def test_what_is_open_is_not_covered_by_a_question() -> None:
    model, _ = play(covered(), "d", "h", answer(1, lines=WOULD))
    assert asking(model).title == "Halt?"
    assert "press d again" in text_of(model)


def test_nothing_goes_out_without_a_trader_or_a_row() -> None:
    assert not play(covered(), GONE, "d")[1]
    model, effects = play(desk(), "d")
    assert not effects
    assert text_of(model)


def test_the_trader_takes_these_options() -> None:
    known = DESK_COMMANDS["recover.adopt"]
    for options in ({"symbol": "AAPL", "stop": "3%"}, {"symbol": "AAPL", "order": ["77"]}):
        assert known.required <= options.keys() <= known.options.keys()


def test_nothing_of_a_question_is_cut_on_a_small_screen() -> None:
    words = "k7qav-3-stop: k7qav-3-entry is not at the broker any more"
    model, effects = play(desk(lost()), "d")
    act = looking(effects)[0]
    model, _ = play(model, answer(act, data={"unproven": [words, words.replace("stop", "target")]}))
    bare = press(desk(positions=(held(),)), "backtab", "d")
    for shown, said in ((model, words), (bare, "A price, or 3% of the average cost.")):
        lines = ["".join(text for text, _ in line) for line in view(shown, 80, 24, RowCache())]
        assert not any("more lines" in line for line in lines)
        assert any(said in line for line in lines)
