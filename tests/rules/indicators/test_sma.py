from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import SMA

from tests.rules.bar_samples import SEEDS, assert_agree, closes, closing, values, walk


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bars", [1, 2, 10, 50])
def test_it_agrees_with_talipp(seed: int, bars: int) -> None:
    path = walk(seed)
    assert_agree(values("sma", path, bars), list(SMA(bars, closes(path))))


def test_it_is_the_mean_of_the_last_closes() -> None:
    said = values("sma", closing("1", "2", "6", "7", "8"), 3)
    assert said == [None, None, Decimal(3), Decimal(5), Decimal(7)]


def test_a_large_price_that_left_the_window_leaves_nothing_behind() -> None:
    """Sums that are kept up would: talipp's floats do."""
    path = closing("1e15", *["0.01"] * 3)
    assert values("sma", path, 3)[-1] == Decimal("0.01")
    assert list(SMA(3, closes(path)))[-1] != 0.01
