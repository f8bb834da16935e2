from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ibkr_trader.dashboard.spans import (
    Line,
    Span,
    cells,
    cut,
    figure,
    fit,
    fit_end,
    merged,
    overlay,
    padded,
    safe,
    say,
    width,
    wrapped,
)
from tests.dashboard.garbled import NASTY, texts

LINES = st.lists(st.builds(say, texts(), st.sampled_from(["", "a", "b"])), max_size=5).map(tuple)


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two  blanks ", "two  blanks "),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\r\n\tb", "a   b"),
        ("\u202eabc\u2066", "abc"),
        ("e\u0301", "é"),
        ("👍🏽", "👍"),
        ("❤\ufe0f", "❤"),
        ("🇩🇪", "DE"),
        ("注文", "注文"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("\ud800x", "x"),
        ("x" * 600 + "\x07", "x" * 600),
    ],
)
def test_foreign_text_is_made_harmless(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(texts())
def test_each_character_of_safe_text_takes_one_or_two_cells(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    assert {cell_len(mark) for mark in shown} <= {1, 2}
    assert cells(shown) == sum(map(cell_len, shown)) == cell_len(shown)
    assert safe(shown) == shown


@given(texts(), st.integers(0, 30), st.booleans())
def test_fitted_text_is_exactly_as_wide_as_its_room(text: str, room: int, right: bool) -> None:
    assert cells(fit(text, room, right=right)) == room
    assert cells(figure(text, room)) == room
    assert cells(fit_end(text, room)) <= room


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("ab cd", 4, "ab… "),
        ("漢字漢", 4, "漢… "),
        ("漢字漢", 5, "漢字…"),
        ("abc", 0, ""),
    ],
)
def test_what_is_cut_ends_in_an_ellipsis(text: str, room: int, shown: str) -> None:
    assert fit(text, room) == shown


def test_text_may_stand_at_the_right() -> None:
    assert fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4, ellipsis="") == "abcd"


def test_a_figure_is_never_cut_to_another_one() -> None:
    assert figure("1,234.50", 10) == "  1,234.50"
    assert figure("1,234.50", 8) == "1,234.50"
    assert figure("1,234.50", 7) == "#######"


def test_the_end_of_what_is_typed_stays_in_sight() -> None:
    assert fit_end("abcdef", 4) == "…def"
    assert fit_end("abc", 4) == "abc"


def test_a_cut_through_a_wide_character_leaves_blanks() -> None:
    line = (Span("a漢b", "x"), Span("字"))
    assert text_of(cut(line, 0, 2)) == "a "
    assert text_of(cut(line, 2, 5)) == " b "
    assert cut(line, 1, 4) == (Span("漢b", "x"),)
    assert text_of(cut(line, 4, 9)) == "字   "


@given(LINES, st.integers(0, 40), st.integers(0, 40))
def test_a_cut_is_exactly_as_wide_as_asked(line: Line, start: int, size: int) -> None:
    assert width(cut(line, start, start + size)) == size


@given(st.lists(texts(), min_size=1, max_size=4), LINES, st.integers(-9, 40), st.integers(-3, 5))
def test_a_box_changes_no_width(rows: list[str], piece: Line, x: int, y: int) -> None:
    lines: list[Line] = [(Span(fit(row, 20), "below"),) for row in rows]
    laid = overlay(lines, [piece, piece], x=x, y=y)
    assert [width(line) for line in laid] == [20] * len(lines)


def test_a_box_is_laid_over_what_is_there() -> None:
    lines: list[Line] = [(Span("abcdef", "r"),), (Span("漢字漢", "r"),)]
    laid = overlay(lines, [(Span("[]", "box"),)] * 2, x=1, y=0)
    assert [text_of(line) for line in laid] == ["a[]def", " [] 漢"]
    assert laid[0] == (Span("a", "r"), Span("[]", "box"), Span("def", "r"))
    assert lines[0] == (Span("abcdef", "r"),)


@given(LINES, st.integers(0, 30))
def test_a_padded_line_is_exact(line: Line, room: int) -> None:
    assert width(padded(line, room)) == room


def test_neighbours_of_one_role_become_one_piece() -> None:
    pieces = [Span("a"), Span(""), Span("b"), Span("c", "x"), Span("d")]
    assert merged(pieces) == (Span("ab"), Span("c", "x"), Span("d"))


@given(texts(), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_no_word(text: str, room: int) -> None:
    lines = wrapped(text, room)
    assert all(cells(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(safe(text).split())


def test_words_stay_whole_and_lines_keep_their_indentation() -> None:
    assert wrapped("  one two three", 9) == ["  one two", "  three"]
    assert wrapped("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrapped("", 5) == [""]


@pytest.mark.parametrize("text", NASTY)
def test_a_piece_of_a_line_is_safe(text: str) -> None:
    assert say(text, "role") == Span(safe(text), "role")
