from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import DonchianChannels

from tests.rules.bar_samples import FIVE, OPEN, SEEDS, assert_agree, bar, candles, values, walk


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bars", [1, 2, 20])
def test_they_agree_with_talipp(seed: int, bars: int) -> None:
    path = walk(seed)
    channel = DonchianChannels(bars, candles(path))
    highs = [None if one is None else one.ub for one in channel]
    lows = [None if one is None else one.lb for one in channel]
    assert_agree(values("highest", path, bars), highs)
    assert_agree(values("lowest", path, bars), lows)


@pytest.mark.parametrize(("name", "expected"), [("highest", (7, 6)), ("lowest", (1, 2))])
def test_they_are_of_highs_and_of_lows_with_that_of_the_last_bar(
    name: str, expected: tuple[int, int]
) -> None:
    path = [
        bar(OPEN, "4", high="7", low="1"),
        bar(OPEN + FIVE, "4", high="5", low="3"),
        bar(OPEN + 2 * FIVE, "4", high="6", low="2"),
    ]
    assert values(name, path, 2) == [None, *map(Decimal, expected)]
