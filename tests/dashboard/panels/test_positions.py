from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.positions import positions_panel
from tests.dashboard.panels.drawing import frame, is_sized, roles_of, shown
from tests.dashboard.scenes import NOW, position


@pytest.mark.parametrize("size", [(60, 4), (80, 5), (125, 14)])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_it_has_the_size_it_is_given(size: tuple[int, int], count: int) -> None:
    rows = [position(number) for number in range(1, count + 1)]
    assert is_sized(positions_panel(rows, frame(*size, place=0), now=NOW), *size)


def test_eighty_columns_show_what_matters() -> None:
    rows = [position(1), position(4), position(3)]
    lines = shown(positions_panel(rows, frame(place=0), now=NOW))
    assert lines[1].split() == [
        "Symbol", "Qty", "Last", "P&L", "Stop", "To", "stop", "R", "COVER",
    ]  # fmt: skip
    assert lines[2].split() == [
        "▷", "MSFT", "+10", "151.61", "+15.00", "145.11", "4.3", "%", "+0.30", "100", "%",
    ]  # fmt: skip
    assert "-40" in lines[3]
    assert "-60.00" in lines[3]


def test_wide_screens_show_average_target_and_a_bar() -> None:
    lines = shown(positions_panel([position(1)], frame(140, 5), now=NOW))
    assert "150.11" in lines[2]
    assert "155.11" in lines[2]
    assert "████████" in lines[2]


@pytest.mark.parametrize(
    ("changes", "words", "role"),
    [
        ({}, "100 %", Role.GOOD),
        (
            {"coverage": Decimal(0), "naked_since": NOW - timedelta(seconds=12)},
            "NAKED 12s",
            Role.NAKED,
        ),
        ({"coverage": Decimal(0), "naked_since": None}, "NAKED", Role.NAKED),
        (
            {"coverage": Decimal("0.5"), "naked_since": NOW - timedelta(seconds=65)},
            "NAKED 1m 05s 50 %",
            Role.NAKED,
        ),
        ({"coverage": Decimal("0.999")}, "NAKED 99 %", Role.NAKED),
        ({"surplus": Decimal(5)}, "100 % OVER 5", Role.WARNING),
        ({"is_closing": True}, "CLOSING", Role.PENDING),
        ({"is_closing": True, "coverage": Decimal(0)}, "CLOSING NAKED", Role.NAKED),
    ],
)
def test_coverage_is_told_in_words(changes: dict[str, Any], words: str, role: Role) -> None:
    lines = positions_panel([position(1, **changes)], frame(120, 5), now=NOW)
    assert f" {words} " in shown(lines)[2]
    assert role in roles_of(lines, words)


def test_a_naked_time_goes_on_with_the_clock() -> None:
    here = frame(80, 5)
    row = position(3)
    assert "NAKED 12s" in shown(positions_panel([row], here, now=NOW))[2]
    later = NOW + timedelta(seconds=3)
    assert "NAKED 15s" in shown(positions_panel([row], here, now=later))[2]


def test_what_is_unknown_is_a_dash_and_no_zero() -> None:
    row = position(1, average=None, last=None, pnl=None, stop=None, r=None, distance_fraction=None)
    line = shown(positions_panel([row], frame(80, 5), now=NOW))[2]
    assert line.split() == ["MSFT", "+10", "–", "–", "–", "–", "–", "100", "%"]


def test_gains_and_losses_carry_their_sign() -> None:
    rows = [position(1), position(2, pnl=Decimal("-3.5")), position(3, pnl=Decimal(0))]
    lines = positions_panel(rows, frame(80, 6), now=NOW)
    assert roles_of(lines, "+15.00") == {Role.PROFIT}
    assert roles_of(lines, "-3.50") == {Role.LOSS}
    assert " 0.00 " in shown(lines)[4]


def test_an_empty_panel_says_what_to_do() -> None:
    text = " ".join(" ".join(shown(positions_panel([], frame(80, 6), now=NOW))).split())
    assert "ibkr-trader bracket-order --symbol AAPL --quantity 10" in text
    filtered = shown(positions_panel([], frame(80, 6, filter="xyz"), now=NOW))
    assert 'Nothing matches "xyz"' in filtered[1]


def test_a_figure_that_has_no_room_is_not_cut_to_another() -> None:
    row = position(1, pnl=Decimal(123456789012345678), stop=Decimal("1234567890123.123456"))
    line = shown(positions_panel([row], frame(60, 4), now=NOW))[2]
    assert "#" in line
    assert "…" not in line
