from __future__ import annotations

import pytest

from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.footer import footer_line, notice_line
from ibkr_trader.dashboard.hints import ALONE, ALWAYS, HINTS, TYPED
from ibkr_trader.dashboard.keys import ACTIONS
from ibkr_trader.dashboard.model import FilterLine, Model, Notice, Panel, Tone
from ibkr_trader.dashboard.spans import width
from tests.dashboard.panels.drawing import shown
from tests.dashboard.scenes import model, order, position, scene


def footer(columns: int = 80, **changes: object) -> str:
    line = footer_line(model(scene(8, 3), **changes), columns)
    assert width(line) == columns
    return shown([line])[0]


@pytest.mark.parametrize("panel", list(Panel))
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_and_quit_are_always_named(panel: Panel, columns: int) -> None:
    assert "  ? help  q quit " in footer(columns, panel=panel)


def test_every_key_that_is_named_exists() -> None:
    hints = {key for panel in Panel for key, _ in HINTS[panel]}
    named = hints | {key for key, _ in (*ALONE, *ALWAYS, *TYPED)}
    assert named - set(ACTIONS) == {"0-9", "esc"}


def test_what_is_typed_is_shown_with_the_order_it_means() -> None:
    assert "order 105_  means 5-stop (No. 105): SELL 50 GOOG" in footer(typed_id="105")
    assert "order 999_  no active order has the number 999" in footer(typed_id="999")


def test_the_filter_is_shown_as_it_is_typed() -> None:
    assert 'filter: aap_  enter keeps it, esc goes back to "ms"' in footer(
        dialog=FilterLine(text="aap", was="ms")
    )
    assert "esc shows all" in footer(dialog=FilterLine(text="aap"))
    assert "…" in footer(dialog=FilterLine(text="x" * 99))


@pytest.mark.parametrize(
    ("tone", "words"),
    [
        (Tone.DONE, "done: cancelled"),
        (Tone.NOTE, "cancelled"),
        (Tone.WARNING, "warning: cancelled"),
        (Tone.FAULT, "FAULT: cancelled"),
    ],
)
def test_a_notice_says_its_tone(tone: Tone, words: str) -> None:
    notice = Notice(text="cancelled", tone=tone, until=5.0)
    line = notice_line(model(scene(), notice=notice), None, 80)
    assert shown([line])[0].rstrip() == f" {words}"


def test_without_news_the_chosen_row_is_told_in_full() -> None:
    line = shown([notice_line(model(scene()), order(5), 120)])[0]
    assert line.startswith(" 5-stop (No. 105): SELL 50 GOOG STOP 140.35 GTC, SUBMITTED")
    assert "MSFT: +10 at 150.11" in shown([notice_line(model(scene()), position(1), 120)])[0]


def test_what_has_no_answer_yet_is_named() -> None:
    calls = {
        1: Act(call=1, command="revise.cancel", words="cancel 1-stop"),
        2: Act(call=2, command="revise.cancel", words="cancel 2-stop"),
        3: Act(call=3, command="screen.weigh", words="weigh", looks=True),
    }
    line = shown([notice_line(model(scene(), calls=calls), None, 80)])[0]
    assert "asked, no answer yet: cancel 2-stop (+1)" in line
    assert "asked" not in shown([notice_line(Model(), None, 80)])[0]
