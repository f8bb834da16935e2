from __future__ import annotations

from ibkr_trader.rules.extremes import Extreme
from tests.rules.bar_samples import FIVE, OPEN, bar


def test_each_bar_makes_a_new_one_that_keeps_no_more_than_it_needs() -> None:
    first = Extreme(bars=2, is_high=True)
    on = first
    for n, high in enumerate(("9", "7", "8")):
        on = on.after(bar(OPEN + n * FIVE, "5", high=high, low="1"))
    assert on.value == 8
    assert (on.seen, len(on.prices)) == (3, 2)
    assert first == Extreme(bars=2, is_high=True)
    assert on.needed == on.warm_up == 2


def test_one_of_lows_is_one_of_highs_upside_down() -> None:
    high, low = Extreme(bars=3, is_high=True), Extreme(bars=3, is_high=False)
    for n, price in enumerate((5, 9, 2, 7, 7, 3)):
        at = OPEN + n * FIVE
        high = high.after(bar(at, "50", high=f"{50 + price}", low="1"))
        low = low.after(bar(at, "50", high="99", low=f"{50 - price}"))
        if n < 2:
            assert high.value is low.value is None
        else:
            assert high.value is not None
            assert low.value is not None
            assert high.value - 50 == 50 - low.value
