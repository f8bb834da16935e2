from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.risk import risk_panel
from tests.dashboard.panels.drawing import frame, is_sized, roles_of, shown
from tests.dashboard.scenes import GAUGES, WARNINGS


@pytest.mark.parametrize("size", [(40, 4), (59, 9), (80, 5), (120, 30)])
@pytest.mark.parametrize("warnings", [(), WARNINGS, WARNINGS * 9])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_it_has_the_size_it_is_given(
    size: tuple[int, int], warnings: tuple[str, ...], count: int
) -> None:
    rows = [GAUGES[number % len(GAUGES)] for number in range(count)]
    lines = risk_panel(rows, frame(*size, facts=str(count)), warnings=warnings)
    assert is_sized(lines, *size)


def test_limits_are_bars_with_figures_and_words() -> None:
    lines = risk_panel(GAUGES, frame(59, 10))
    text = shown(lines)
    assert text[4].split() == [
        "orders",
        "a",
        "day",
        "██████░░",
        "82",
        "%",
        "HIGH",
        "41",
        "of",
        "50",
    ]
    assert text[5].split()[2:5] == ["████████", "100", "%"]
    assert "104 % OVER" in text[6]
    assert "········ UNKNOWN" in text[7]
    assert roles_of(lines, "104 % OVER") == {Role.HALTED}


def test_warnings_stand_above_and_are_counted() -> None:
    lines = risk_panel(
        GAUGES, frame(80, 9, facts="6"), warnings=WARNINGS, efficiency=Decimal("2.5")
    )
    text = shown(lines)
    assert " Risk 6, 1 warning, 2.50 messages a traded order " in text[0]
    assert text[1].startswith("! AAPL and MSFT move together (0.91)")
    assert roles_of(lines, "move together") == {Role.WARNING}


def test_warnings_without_room_are_counted_and_limits_stay() -> None:
    text = shown(risk_panel(GAUGES, frame(80, 9), warnings=("first", "second", "third", "fourth")))
    assert "4 warnings" in text[0]
    assert text[3].startswith("! (+1) third")
    assert "day loss" in text[5]


def test_an_empty_panel_says_so() -> None:
    assert "No limit is in use yet" in shown(risk_panel([], frame()))[1]
