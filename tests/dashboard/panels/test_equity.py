from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.equity import equity_panel, sparkline, trend
from tests.dashboard.panels.drawing import frame, is_sized, shown

VALUES = st.lists(st.decimals(min_value=-(10**12), max_value=10**12) | st.just(Decimal("NaN")))


def decimals(*values: int) -> list[Decimal]:
    return [Decimal(value) for value in values]


def test_a_curve_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline(decimals(0, 1, 2, 3, 4, 5, 6, 7), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(decimals(7, 0), 8) == "█▁"
    assert sparkline(decimals(5, 5, 5), 8) == "▄▄▄"
    assert sparkline([], 8) == ""


def test_a_long_past_is_pressed_together_and_ends_now() -> None:
    curve = sparkline(decimals(*range(100), 1000), 10)
    assert len(curve) == 10
    assert curve[-1] == "█"


@settings(max_examples=50)
@given(VALUES, st.integers(0, 40))
def test_a_curve_is_no_wider_than_its_room(values: list[Decimal], cells: int) -> None:
    assert len(sparkline(values, cells)) <= cells
    assert set(sparkline(values, cells)) <= set("▁▂▃▄▅▆▇█")


@settings(max_examples=50)
@given(VALUES, st.integers(20, 60), st.integers(1, 9))
def test_it_has_the_size_it_is_given(values: list[Decimal], columns: int, rows: int) -> None:
    assert is_sized(equity_panel(values, frame(columns, rows)), columns, rows)


def test_the_title_has_the_figures() -> None:
    lines = shown(equity_panel(decimals(100, 300, 200), frame(60, 4)))
    assert " Equity 200.00, low 100.00, high 300.00 " in lines[0]
    assert lines[1].rstrip() == "   █"
    assert lines[2].rstrip() == "   █▄"
    assert lines[3].rstrip() == "  ▁██"


@pytest.mark.parametrize(
    ("values", "role"),
    [((1, 2), Role.PROFIT), ((2, 1), Role.LOSS), ((1,), Role.PLAIN), ((), Role.PLAIN)],
)
def test_a_trend(values: tuple[int, ...], role: Role) -> None:
    assert trend(decimals(*values)) == role
