from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.dashboard.panels.table import Column, Table, table_lines, window
from ibkr_trader.dashboard.spans import Span, say, width
from tests.dashboard.garbled import texts
from tests.dashboard.panels.drawing import frame, shown

COLUMNS = (
    Column("Name", 4),
    Column("Price", 5, is_figure=True),
    Column("Kind", 3, 1),
    Column("Note", 4, 2, may_be_cut=True),
)
Row = tuple[str, str, str, str]
ROWS: list[Row] = [("AAPL", "150.00", "STP", "a long note"), ("MSFT", "1,150.00", "STP LMT", "")]


def table() -> Table:
    return Table("t", COLUMNS, lambda row, _: tuple(map(say, row)), str, lambda _: None)


def lines_of(rows: list[Row], columns: int) -> list[str]:
    seen = window(len(rows), None, len(rows))
    return shown(table_lines(table(), rows, seen=seen, frame=frame(columns)))


@pytest.mark.parametrize(
    ("count", "place", "height", "rows"),
    [
        (0, None, 5, (0, 0)),
        (3, None, 5, (0, 3)),
        (9, None, 5, (0, 5)),
        (9, 0, 5, (0, 5)),
        (9, 4, 5, (2, 7)),
        (9, 8, 5, (4, 9)),
        (9, 4, 1, (4, 5)),
        (9, 4, 0, (2, 2)),
    ],
)
def test_the_rows_around_the_cursor_are_seen(
    count: int, place: int | None, height: int, rows: tuple[int, int]
) -> None:
    seen = window(count, place, height)
    if height:
        assert (seen.start, seen.end) == rows
    assert seen.end - seen.start == min(count, height)


@given(st.integers(0, 600), st.integers(0, 599), st.integers(1, 50))
def test_the_cursor_is_always_in_sight(count: int, place: int, height: int) -> None:
    if place < count:
        seen = window(count, place, height)
        assert seen.start <= place < seen.end


def test_it_says_how_many_are_beyond() -> None:
    assert window(9, 4, 5).beyond == "↑2 ↓2"
    assert window(9, None, 5, follows=True).beyond == "↑4"
    assert window(3, None, 5).beyond == ""


def test_columns_are_left_out_by_rank_before_anything_important_is_cut() -> None:
    assert lines_of(ROWS, 36)[2] == "  MSFT 1,150.00 STP LMT             "
    assert lines_of(ROWS, 36)[1] == "  AAPL   150.00 STP     a long note "
    assert lines_of(ROWS, 30)[1] == "  AAPL   150.00 STP     a lon…"
    assert lines_of(ROWS, 27)[0] == "  Name    Price Kind       "
    assert lines_of(ROWS, 22)[2] == "  MSFT 1,150.00       "


def test_a_figure_without_any_room_is_marked() -> None:
    assert lines_of(ROWS, 9)[2] == "  MS… ###"


@settings(max_examples=40)
@given(st.lists(st.tuples(texts(), texts(), texts(), texts()), min_size=1), st.integers(12, 60))
def test_each_line_is_exactly_as_wide_as_the_panel(rows: list[Row], columns: int) -> None:
    seen = window(len(rows), 0, 5)
    drawn = table_lines(table(), rows, seen=seen, frame=frame(columns, place=0, is_focused=True))
    assert {width(line) for line in drawn} == {columns}


def test_an_unchanged_row_is_the_same_line_again() -> None:
    here = frame(40, place=0, is_focused=True)
    seen = window(2, 0, 2)
    first = table_lines(table(), ROWS, seen=seen, frame=here)
    second = table_lines(table(), ROWS, seen=seen, frame=here)
    assert all(one is other for one, other in zip(first, second, strict=True))
    moved = table_lines(table(), ROWS, seen=seen, frame=here._replace(place=1))
    assert moved[1][0] == Span("  AAPL   150.00 STP     a long note     ")
    assert moved[2][0].role == "cursor"


def test_an_unchanged_row_follows_columns_that_have_grown() -> None:
    here = frame(40)
    seen = window(1, None, 1)
    table_lines(table(), ROWS[:1], seen=seen, frame=here)
    both = window(2, None, 2)
    rows = [ROWS[0], ("a longer name", "1.00", "", "")]
    lines = shown(table_lines(table(), rows, seen=both, frame=here))
    assert lines[1].index("150.00") + 6 == lines[2].index("1.00") + 4
