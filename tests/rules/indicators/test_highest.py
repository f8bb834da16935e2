from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import DonchianChannels

from tests.rules.bar_samples import FIVE, OPEN, SEEDS, assert_agree, bar, candles, values, walk


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bars", [1, 2, 20])
def test_it_agrees_with_talipp(seed: int, bars: int) -> None:
    path = walk(seed)
    channel = DonchianChannels(bars, candles(path))
    assert_agree(
        values("highest", path, bars), [None if one is None else one.ub for one in channel]
    )


def test_it_is_of_the_highs_with_that_of_the_last_bar() -> None:
    path = [
        bar(OPEN, "4", high="7", low="1"),
        bar(OPEN + FIVE, "4", high="5", low="3"),
        bar(OPEN + 2 * FIVE, "4", high="6", low="2"),
    ]
    assert values("highest", path, 2) == [None, Decimal(7), Decimal(6)]
