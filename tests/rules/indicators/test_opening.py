from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.rules.indicator import make
from ibkr_trader.rules.market_days import Feed
from tests.rules.bar_samples import (
    DAY,
    FIVE,
    MINUTE,
    OPEN,
    SEEDS,
    SESSIONS,
    bar,
    number,
    values,
    walk,
)

OPENS = tuple(one.opens for one in SESSIONS)
KNOWN = Feed(size=FIVE, opens=OPENS)
RANGE = [
    bar(OPEN, "4", high="6", low="3"),
    bar(OPEN + FIVE, "4", high="7", low="2"),
    bar(OPEN + 2 * FIVE, "4", high="9", low="1"),
]


def test_it_is_known_when_the_range_is_over_and_stays() -> None:
    assert values("opening_high", RANGE, 10, feed=KNOWN) == [None, Decimal(7), Decimal(7)]
    assert values("opening_low", RANGE, 10, feed=KNOWN) == [None, Decimal(2), Decimal(2)]


def test_without_a_size_it_is_known_a_bar_later() -> None:
    assert values("opening_high", RANGE, 10, feed=Feed(opens=OPENS)) == [None, None, Decimal(7)]


def test_the_next_day_has_its_own() -> None:
    path = [*RANGE, bar(OPEN + DAY, "2"), bar(OPEN + DAY + FIVE, "3")]
    said = values("opening_high", path, 10, feed=KNOWN)
    assert said[-3:] == [Decimal(7), None, Decimal(3)]


def test_of_a_day_that_was_joined_late_it_is_unknown() -> None:
    path = [*RANGE[1:], bar(OPEN + DAY, "2"), bar(OPEN + DAY + FIVE, "3")]
    assert values("opening_low", path, 10, feed=KNOWN) == [None, None, None, Decimal(2)]


def test_a_range_in_which_nobody_traded_is_unknown() -> None:
    path = [bar(OPEN - DAY), bar(OPEN + timedelta(hours=1))]
    assert values("opening_high", path, 30, feed=KNOWN) == [None, None]


def test_the_first_minute_may_be_silent() -> None:
    path = [bar(OPEN - DAY), bar(OPEN + FIVE, "3"), bar(OPEN + 2 * FIVE, "9")]
    assert values("opening_high", path, 10, feed=KNOWN)[1:] == [Decimal(3), Decimal(3)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("minutes", [5, 30, 60])
def test_it_is_what_the_bars_of_each_day_say(seed: int, minutes: int) -> None:
    """No other library has it: a plain account of the same days is the second opinion."""
    path = walk(seed, 234)
    high = values("opening_high", path, minutes, feed=KNOWN)
    low = values("opening_low", path, minutes, feed=KNOWN)
    bars = minutes // 5
    for day in range(3):
        first = path[day * 78 : day * 78 + bars]
        start, stop = day * 78, (day + 1) * 78
        unknown = [None] * (bars - 1)
        rest = 78 - len(unknown)
        assert high[start:stop] == unknown + [max(one.high for one in first)] * rest
        assert low[start:stop] == unknown + [min(one.low for one in first)] * rest


def test_the_range_must_end_with_a_bar() -> None:
    with pytest.raises(ValueError, match="opening_high: minutes: 0:07:00 is no whole number of"):
        make("opening_high", number(7), feed=KNOWN)
    assert make("opening_high", number(7), feed=Feed(size=MINUTE)).needed == 8


def test_what_it_needs() -> None:
    assert make("opening_low").needed == 2
    assert make("opening_low", feed=KNOWN).needed == 6
    assert make("opening_low", feed=Feed(size=FIVE)).needed == 7
    assert make("opening_low", feed=KNOWN).warm_up == 156
