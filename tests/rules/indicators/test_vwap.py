from __future__ import annotations

from decimal import Decimal
from itertools import groupby

import pytest
from talipp.indicators import VWAP

from ibkr_trader.rules.indicator import make
from ibkr_trader.rules.market_days import Feed
from tests.rules.bar_samples import (
    DAY,
    FIVE,
    OPEN,
    SEEDS,
    SESSIONS,
    assert_agree,
    bar,
    candles,
    values,
    walk,
)

OPENS = tuple(one.opens for one in SESSIONS)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_agrees_with_talipps_of_each_day(seed: int) -> None:
    """Talipp's never begins anew; so it is given one day after the other."""
    path = walk(seed, 300)
    theirs: list[float | None] = []
    for _, day in groupby(path, lambda one: one.at.date()):
        theirs += VWAP(candles(day))
    assert_agree(values("vwap", path, feed=Feed(opens=OPENS)), theirs)
    unseen = [None] * 78  # of the first day nobody saw the beginning
    assert_agree(values("vwap", path), unseen + theirs[78:])


def test_it_weighs_the_typical_price_by_volume() -> None:
    path = [
        bar(OPEN, "3", high="5", low="1", volume=100),
        bar(OPEN + FIVE, "10", high="11", low="9", volume=300),
        bar(OPEN + DAY, "7", volume=1),
    ]
    said = values("vwap", path, feed=Feed(opens=OPENS))
    assert said == [Decimal(3), Decimal("8.25"), Decimal(7)]


def test_without_volume_it_is_unknown() -> None:
    path = [bar(OPEN), bar(OPEN + FIVE, "7", volume=2), bar(OPEN + 2 * FIVE, "9")]
    assert values("vwap", path, feed=Feed(opens=OPENS)) == [None, Decimal(7), Decimal(7)]


def test_after_a_bar_whose_volume_nobody_knows_it_is_unknown_until_the_next_day() -> None:
    path = [
        bar(OPEN, "3", volume=100),
        bar(OPEN + FIVE, "200", volume=None),
        bar(OPEN + 2 * FIVE, "200", volume=50),
        bar(OPEN + DAY, "8", volume=1),
    ]
    said = values("vwap", path, feed=Feed(opens=OPENS))
    assert said == [Decimal(3), None, None, Decimal(8)]


def test_from_the_middle_of_a_day_it_is_unknown_until_the_next() -> None:
    path = [bar(OPEN + FIVE, volume=1), bar(OPEN + DAY, "8", volume=1)]
    assert values("vwap", path, feed=Feed(opens=OPENS)) == [None, Decimal(8)]


def test_it_needs_the_day_before_unless_the_opening_is_known() -> None:
    assert make("vwap").needed == make("vwap").warm_up == 2
    assert make("vwap", feed=Feed(opens=OPENS)).needed == 1
    assert make("vwap", feed=Feed(size=FIVE)).warm_up == 156
