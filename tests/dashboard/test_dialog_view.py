from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.dashboard.dialog_view import dialog_box, staged_box
from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    Dialog,
    EditDialog,
    Field,
    FilterLine,
    Page,
    Staged,
    TypedDialog,
    Weighed,
)
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.spans import Line, width
from tests.dashboard.garbled import garbled, texts
from tests.dashboard.panels.drawing import roles_of, shown
from tests.dashboard.scenes import model, order, position, scene
from tests.dashboard.stored import SCREENS

EDIT = EditDialog(
    title="Modify 5-stop",
    fields=(
        Field(name="quantity", label="Quantity", text="50", was="50"),
        Field(name="stop", label="Stop", text="141.0", was="140.35"),
    ),
    before=order(5),
    at=1,
)
STAGED = Staged(act=Act(call=1, command="c", words="modify 5-stop"), begins=10.0, ends=11.5)
DIALOGS = [
    stored.model.dialog
    for stored in SCREENS.values()
    if stored.model.dialog is not None and not isinstance(stored.model.dialog, FilterLine)
]


def box_of(dialog: Dialog, columns: int = 80, rows: int = 22) -> list[Line]:
    return dialog_box(model(scene(8, 3), dialog=dialog), columns, rows)


def text_of(dialog: Dialog, columns: int = 80) -> str:
    return "\n".join(shown(box_of(dialog, columns)))


def edited(**changes: object) -> EditDialog:
    return msgspec.structs.replace(EDIT, **changes)


@given(
    st.sampled_from(DIALOGS),
    st.lists(texts(), min_size=1, max_size=5),
    st.integers(20, 120),
    st.integers(8, 40),
)
def test_a_box_fits_the_screen_whatever_it_says(
    dialog: Dialog, words: list[str], columns: int, rows: int
) -> None:
    lines = box_of(garbled(dialog, words), columns, rows)
    assert 3 <= len(lines) <= rows
    assert len({width(line) for line in lines}) == 1
    assert width(lines[0]) <= columns
    assert all(text.isprintable() for line in lines for text, _ in line)


def test_fields_show_what_was_and_where_the_cursor_is() -> None:
    text = text_of(EDIT)
    assert "│   Quantity       50  was 50 " in text
    assert "│ ▶ Stop           141.0_  was 140.35 " in text


def test_a_field_shows_the_end_of_what_is_typed() -> None:
    fields = (Field(name="stop", label="Stop", text="1" * 90 + "234", was="9" * 90),)
    assert "1234_  was 9999" in text_of(edited(fields=fields, at=0))


def test_a_fault_is_on_one_line() -> None:
    fault = "Price is more than 20 % from last (150.02), which is far. Check the decimal point."
    lines = shown(box_of(edited(fault=fault)))
    found = [line for line in lines if "Price is more" in line]
    assert len(found) == 1
    assert "… │" in found[0]


@pytest.mark.parametrize(
    ("reduces", "words"),
    [
        (True, "It can only lower the risk: Enter sends it at once."),
        (False, "It can add risk: after Enter it waits, and any key stops it."),
        (None, "Nobody knows whether it adds risk"),
    ],
)
def test_the_traders_word_is_shown(reduces: bool | None, words: str) -> None:
    weighed = Weighed(typed=("50", "141.0"), reduces=reduces, notes=("tick 0.01",))
    text = text_of(edited(weighed=weighed))
    assert words in text
    assert "tick 0.01" in text


def test_the_traders_word_on_other_terms_is_not_shown() -> None:
    weighed = Weighed(typed=("50", "141"), reduces=True, notes=("tick",), fault="too far")
    text = text_of(edited(weighed=weighed))
    assert "lower the risk" not in text
    assert "tick" not in text
    assert "too far" not in text


def test_a_fault_of_the_trader_is_shown_instead_of_its_judgement() -> None:
    weighed = Weighed(typed=("50", "141.0"), reduces=True, fault="it is over the limit")
    lines = box_of(edited(weighed=weighed))
    assert roles_of(lines, "it is over the limit") == {Role.FAULT}
    assert "lower the risk" not in "".join(shown(lines))


def test_a_question_under_way_says_so() -> None:
    assert "asking the trader …" in text_of(edited(asked=("50", "141.0")))
    assert "asking the trader …" not in text_of(EDIT)


def test_an_order_that_has_changed_meanwhile_is_marked() -> None:
    assert "It has changed" not in text_of(EDIT)
    assert "It has changed: 5-stop" in text_of(edited(before=order(5, status="PRESUBMITTED")))
    assert "It is no longer active." in text_of(edited(before=order(99)))


def test_the_position_whose_stop_it_is_is_told() -> None:
    text = text_of(edited(position=position(1), before=None))
    assert "MSFT: +10 at 150.11" in text


def test_keys_are_named_once() -> None:
    assert "[esc] leave it as it is" in text_of(EDIT)
    hint = "Enter send  Esc leave it as it is"
    assert "[esc]" not in text_of(edited(hint=hint))
    assert hint in text_of(edited(hint=hint))


def test_a_question_names_its_keys_and_esc_means_no() -> None:
    dialog = ConfirmDialog(
        title="Close AAPL?",
        lines=("This would sell 10 AAPL at the market, and take its exits away. " * 3,),
        choices=(Choice(key="y", label="sell 10 AAPL"),),
    )
    text = text_of(dialog, 60)
    assert text.count("exits") == 3  # wrapped, not cut
    assert "[y] sell 10 AAPL" in text
    assert "[esc] or any other key: no, nothing is done" in text


def test_a_typed_answer_says_what_to_type() -> None:
    dialog = TypedDialog(
        title="Last stop", lines=("Naked.",), expected="GOOG", text="GO", fault="that is not GOOG"
    )
    text = text_of(dialog)
    assert "Type GOOG to go on:" in text
    assert "> GO_" in text
    assert "that is not GOOG" in text
    assert "[esc] no, leave everything as it is" in text


def test_a_page_is_read_from_its_top_line() -> None:
    lines = tuple(f"line {number}" for number in range(40))
    text = text_of(Page(title="Keys", lines=lines, top=5))
    assert "line 5 " in text
    assert "line 4 " not in text
    assert "lines 6-21 of 40" in text
    last = text_of(Page(title="Keys", lines=lines, top=99))
    assert "lines 40-40 of 40" in last
    assert len(shown(box_of(Page(title="Keys", lines=lines, top=39)))) == 20


def test_a_page_that_fits_has_no_position() -> None:
    assert "of 1" not in text_of(Page(title="Keys", lines=("one",)))
    assert "asking the trader …" in text_of(Page(title="AAPL", lines=(), call=3))


@pytest.mark.parametrize("now", [0.0, 10.0, 10.4, 11.5, 99.0])
def test_a_countdown_says_how_to_stop_it(now: float) -> None:
    lines = staged_box(STAGED, now, width=80, height=22)
    text = "\n".join(shown(lines))
    assert "modify 5-stop" in text
    assert "any key stops it" in text
    assert len({width(line) for line in lines}) == 1


def test_a_countdown_runs_down() -> None:
    def bars(now: float) -> int:
        return "".join(shown(staged_box(STAGED, now, width=80, height=22))).count("█")

    assert bars(10.0) > bars(10.5) > bars(11.0) > bars(11.5) == 0
    assert " 1.1 s" in "".join(shown(staged_box(STAGED, 10.4, width=80, height=22)))


def test_a_question_that_opened_by_itself_is_read_first() -> None:
    dialog = ConfirmDialog(title="The trader asks", lines=("ok?",), choices=(), ready=5.0)
    early, late = (
        shown(dialog_box(model(scene(), dialog=dialog, now=now), 80, 22)) for now in (4.9, 5.0)
    )
    assert "keys count in a moment" in "".join(early)
    assert "keys count in a moment" not in "".join(late)
    assert len(early) == len(late)
