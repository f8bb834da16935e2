from __future__ import annotations

import pytest

from ibkr_trader.dashboard.box import Box, box_lines, paragraphs, text_room
from ibkr_trader.dashboard.spans import Line, Span, width
from tests.dashboard.panels.drawing import shown

KEYS: list[Line] = [(Span("[esc] no"),)]


def test_a_box_has_a_border_a_title_and_its_keys() -> None:
    box = Box("Halt?", [(Span("why"),)], KEYS, 12)
    assert shown(box_lines(box, 10)) == [
        "┌─ Halt? ──────┐",
        "│ why          │",
        "│              │",
        "│ [esc] no     │",
        "└──────────────┘",
    ]
    assert shown(box_lines(box._replace(is_grave=True), 10))[0] == "╔═ Halt? ══════╗"


@pytest.mark.parametrize("height", range(3, 15))
def test_what_has_no_room_is_counted_and_the_keys_stay(height: int) -> None:
    body: list[Line] = [(Span(f"line {number}"),) for number in range(9)]
    lines = box_lines(Box("a title that is far too long", body, KEYS, 20), height)
    assert len(lines) <= height
    assert {width(line) for line in lines} == {24}
    text = shown(lines)
    assert "[esc] no" in text[-2]
    kept = sum("line" in line and "more" not in line for line in text)
    if 5 <= height < 13:
        assert f"… {9 - kept} more" in "".join(text)
    elif height >= 13:
        assert kept == 9


def test_sentences_are_wrapped_and_never_cut() -> None:
    assert shown(paragraphs(["one two three", "four"], 9)) == ["one two", "three", "four"]


def test_a_box_is_narrower_than_the_screen() -> None:
    assert text_room(80, 72) == 72
    assert text_room(60, 72) == 54
    assert text_room(3, 72) == 1
