from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import RSI

from tests.rules.bar_samples import SEEDS, assert_agree, closes, closing, values, walk

# StockCharts' ChartSchool, "Relative strength index": fourteen days of QQQQ.
QQQQ = """44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931
    46.0328 45.6140 46.2820 46.2820 46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137
    46.4515 45.7835 45.3548 44.0288 44.1783 44.2181 44.5672 43.4205 42.6628 43.1314"""
STRENGTHS = """70.53 66.32 66.55 69.41 66.36 57.97 62.93 63.26 56.06 62.38 54.71 50.42 39.99 41.46
    41.87 45.46 37.30 33.08 37.77"""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bars", [2, 5, 14])
def test_it_agrees_with_talipp_once_the_price_has_moved(seed: int, bars: int) -> None:
    path = walk(seed)
    moved = next(n for n, one in enumerate(path) if one.close != path[0].close)
    theirs = list(RSI(bars, closes(path)))
    assert_agree(values("rsi", path, bars), [None] * moved + theirs[moved:], scale=100.0)


def test_it_agrees_with_the_literature() -> None:
    said = values("rsi", closing(*QQQQ.split()), 14)
    strengths = [round(value, 2) for value in said if value is not None]
    assert strengths == [Decimal(one) for one in STRENGTHS.split()]


def test_a_price_that_only_rises_has_all_the_strength_and_one_that_falls_none() -> None:
    assert values("rsi", closing("1", "2", "3"), 2)[-1] == 100
    assert values("rsi", closing("3", "2", "1"), 2)[-1] == 0


def test_a_price_that_never_moved_has_no_strength_that_anybody_knows() -> None:
    path = closing("5", "5", "5", "5", "6")
    said = values("rsi", path, 2)
    assert list(RSI(2, closes(path)))[2] == 100.0  # talipp would have it sold
    assert said == [None, None, None, None, Decimal(100)]
