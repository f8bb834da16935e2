from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import ATR, SMMA

from ibkr_trader.risk.volatility import average_true_range
from tests.rules.bar_samples import (
    FIVE,
    OPEN,
    SEEDS,
    assert_agree,
    bar,
    candles,
    values,
    walk,
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bars", [1, 2, 14])
def test_it_agrees_with_talipps_average_of_talipps_ranges(seed: int, bars: int) -> None:
    """Talipp's own begins a bar sooner, for it takes the first bar's high less low for a range."""
    path = walk(seed)
    ranges = list(ATR(1, candles(path)))[1:]
    assert_agree(values("atr", path, bars), [None, *SMMA(bars, ranges)])


def test_talipps_own_converges_to_it() -> None:
    path = walk(7)
    ours, theirs = values("atr", path, 14), list(ATR(14, candles(path)))
    assert (ours[13], theirs[13]) != (None, None)
    assert_agree(ours[400:], theirs[400:])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_desk_knows_one_figure_by_that_name(seed: int) -> None:
    path = walk(seed, 100)
    known = average_true_range(path)
    said = values("atr", path, 14)[-1]
    assert known is not None
    assert said is not None
    assert abs(known - said) < Decimal("1e-24")


def test_a_range_counts_from_the_close_before() -> None:
    path = [
        bar(OPEN, "100", high="101", low="99"),
        bar(OPEN + FIVE, "110", high="111", low="109"),  # 11 from the close before
        bar(OPEN + 2 * FIVE, "90", high="91", low="89"),  # 21
        bar(OPEN + 3 * FIVE, "90", high="92", low="89"),  # 3
    ]
    assert values("atr", path, 2) == [None, None, Decimal(16), Decimal("9.5")]
