from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.dashboard.model import Sorting
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.frame import counted, nothing, sized, title_line
from ibkr_trader.dashboard.spans import Span, width
from tests.dashboard.garbled import texts
from tests.dashboard.panels.drawing import frame, is_sized, roles_of, shown


def test_the_panel_that_keys_go_to_is_marked_by_signs_and_look() -> None:
    other = title_line("Orders", frame(30, facts="3"))
    here = title_line("Orders", frame(30, facts="3", is_focused=True))
    assert shown([other]) == ["─ Orders 3 ───────────────────"]
    assert shown([here]) == ["━▶Orders 3 ━━━━━━━━━━━━━━━━━━━"]
    assert roles_of([here], "Orders") == {Role.FOCUS}


def test_what_stands_at_the_right_goes_first_when_there_is_no_room() -> None:
    assert shown([title_line("Orders", frame(30, facts="3"), right="↓5")])[0].endswith(" ↓5 ─")
    assert "↓5" not in shown([title_line("Orders", frame(14, facts="3"), right="↓5")])[0]


@given(texts(), texts(), st.integers(10, 60), st.booleans(), st.booleans())
def test_a_title_is_exactly_as_wide_as_the_panel(
    facts: str, right: str, columns: int, focus: bool, stale: bool
) -> None:
    here = frame(columns, facts=facts, is_focused=focus, is_stale=stale)
    line = title_line("Orders", here, right=right)
    assert width(line) == columns
    assert all(text.isprintable() for text, _ in line)


@pytest.mark.parametrize(
    ("wanted", "sorting", "shown_as"),
    [
        ("", None, "500"),
        ("", Sorting(), "500"),
        ("aapl", None, '12/500 filter "aapl"'),
        ("aapl", Sorting("Age"), '12/500 filter "aapl" sorted by Age'),
        ("", Sorting("Age", is_descending=True), "500 sorted by Age ↓"),
    ],
)
def test_a_title_counts_and_says_filter_and_sorting(
    wanted: str, sorting: Sorting | None, shown_as: str
) -> None:
    assert counted(500, 12, wanted=wanted, sorting=sorting) == shown_as


@pytest.mark.parametrize("count", [0, 3, 9])
def test_a_panel_has_exactly_its_lines(count: int) -> None:
    lines = [(Span("x" * 20),)] * count
    assert is_sized(sized(lines, frame(20, 5)), 20, 5)


def test_what_is_empty_because_of_a_filter_says_so() -> None:
    assert shown(nothing("Nothing yet.", frame(20))) == ["  Nothing yet.      "]
    assert "Nothing matches" in shown(nothing("Nothing yet.", frame(60, filter="x")))[0]
