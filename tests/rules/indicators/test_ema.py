from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import EMA

from tests.rules.bar_samples import SEEDS, assert_agree, closes, closing, values, walk

# StockCharts' ChartSchool, "Moving averages": ten days of Intel, rounded to cents there.
INTEL = """22.2734 22.1940 22.0847 22.1741 22.1840 22.1344 22.2337 22.4323 22.2436 22.2933 22.1542
    22.3926 22.3816 22.6109 23.3558 24.0519 23.7530 23.8324 23.9516 23.6338"""
AVERAGES = "22.22 22.21 22.24 22.27 22.33 22.52 22.80 22.97 23.13 23.28 23.34"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bars", [1, 2, 12, 50])
def test_it_agrees_with_talipp(seed: int, bars: int) -> None:
    path = walk(seed)
    assert_agree(values("ema", path, bars), list(EMA(bars, closes(path))))


def test_it_agrees_with_the_literature() -> None:
    said = values("ema", closing(*INTEL.split()), 10)
    cents = [round(value, 2) for value in said if value is not None]
    assert cents == [Decimal(one) for one in AVERAGES.split()]


def test_it_begins_with_the_plain_mean() -> None:
    said = values("ema", closing("1", "2", "6", "7"), 3)
    assert said == [None, None, Decimal(3), Decimal(5)]
