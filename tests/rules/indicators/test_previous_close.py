from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ibkr_trader.rules.indicator import make
from ibkr_trader.rules.market_days import Feed
from tests.rules.bar_samples import DAY, FIVE, OPEN, SEEDS, bar, closing, values, walk


def test_it_is_the_last_close_of_the_day_before() -> None:
    for seed in SEEDS:
        path = walk(seed, 234)
        said = values("previous_close", path)
        expected = [None] * 78 + [path[77].close] * 78 + [path[155].close] * 78
        assert said == expected


def test_of_bars_of_a_day_it_is_the_close_before() -> None:
    path = closing("1", "2", "3", size=DAY)
    assert values("previous_close", path) == [None, Decimal(1), Decimal(2)]


def test_a_silence_within_a_day_is_no_night() -> None:
    path = [bar(OPEN, "1"), bar(OPEN + 70 * FIVE, "2"), bar(OPEN + DAY, "3")]
    assert values("previous_close", path) == [None, None, Decimal(2)]


def test_in_a_market_without_nights_it_is_unknown_unless_the_openings_are_known() -> None:
    path = closing(*["1"] * 300, "2", "3", size=FIVE)  # more than a day, without a pause
    assert set(values("previous_close", path)) == {None}
    opens = (OPEN, OPEN + 300 * FIVE)
    assert values("previous_close", path, feed=Feed(opens=opens))[-2:] == [Decimal(1), Decimal(1)]


def test_a_day_that_does_not_end_has_no_day_before_it() -> None:
    begun = OPEN + timedelta(hours=11)
    path = [bar(OPEN, "1"), *(bar(begun + n * timedelta(hours=1), "2") for n in range(25))]
    assert values("previous_close", path) == [None, *[Decimal(1)] * 24, None]


def test_what_it_needs() -> None:
    assert make("previous_close").needed == 2
    assert make("previous_close", feed=Feed(size=FIVE)).warm_up == 156
