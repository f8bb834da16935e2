from __future__ import annotations

import pytest

from ibkr_trader.dashboard.layout import BOTTOM, HEAD, Extra, bands, is_too_small
from ibkr_trader.dashboard.model import Panel

SIZES = [
    (60, 15),
    (60, 60),
    (80, 24),
    (100, 30),
    (110, 34),
    (120, 40),
    (170, 44),
    (200, 60),
    (300, 99),
]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("chosen", list(Panel))
def test_panels_fill_the_screen_exactly(width: int, height: int, chosen: Panel) -> None:
    total = 0
    for band in bands(width, height, chosen):
        heights = {sum(part.height for part in column) for column in band.columns}
        assert len(heights) == 1
        total += heights.pop()
        widths = [{part.width for part in column} for column in band.columns]
        assert all(len(one) == 1 for one in widths)
        assert sum(one.pop() for one in widths) + len(band.columns) - 1 == width
    assert total == height - HEAD - BOTTOM


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("chosen", list(Panel))
def test_the_chosen_panel_is_on_the_screen(width: int, height: int, chosen: Panel) -> None:
    parts = {
        part.panel: part
        for band in bands(width, height, chosen)
        for column in band.columns
        for part in column
    }
    assert chosen in parts
    assert Panel.POSITIONS in parts
    assert all(part.height >= 4 for part in parts.values())


def test_large_screens_show_everything() -> None:
    for width, height in ((120, 40), (200, 60)):
        parts = {
            part.panel
            for band in bands(width, height, Panel.ORDERS)
            for column in band.columns
            for part in column
        }
        assert parts >= set(Panel)
        assert (Extra.EQUITY in parts) == (width == 200)


def test_too_small_is_below_sixty_by_fifteen() -> None:
    assert not is_too_small(60, 15)
    assert is_too_small(59, 15)
    assert is_too_small(60, 14)
