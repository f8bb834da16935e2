from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import EMA, MACD

from ibkr_trader.rules.indicator import make
from tests.rules.bar_samples import SEEDS, assert_agree, closes, closing, number, values, walk

PRICE = 100.0  # the averages are of this size; the line is their difference


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("fast", "slow", "signal"), [(2, 3, 1), (12, 26, 9), (5, 35, 5)])
def test_it_agrees_with_talipps_averages(seed: int, fast: int, slow: int, signal: int) -> None:
    """Talipp's own begins the fast average sooner than TA-Lib does: see the next."""
    path = walk(seed)
    later = slow - fast
    quick = [*[None] * later, *EMA(fast, closes(path[later:]))]
    slowly = list(EMA(slow, closes(path)))
    line = [None if b is None else a - b for a, b in zip(quick, slowly, strict=True)]
    average = [*[None] * (slow - 1), *EMA(signal, line[slow - 1 :])]
    numbers = (fast, slow, signal)
    assert_agree(values("macd_line", path, *numbers), line, scale=PRICE)
    assert_agree(values("macd_signal", path, *numbers), average, scale=PRICE)
    bars = [None if b is None else a - b for a, b in zip(line, average, strict=True)]
    assert_agree(values("macd_histogram", path, *numbers), bars, scale=PRICE)


@pytest.mark.parametrize("output", ["line", "signal", "histogram"])
def test_talipps_own_converges_to_it(output: str) -> None:
    path = walk(8)
    field = {"line": "macd"}.get(output, output)
    theirs = [None if one is None else getattr(one, field) for one in MACD(12, 26, 9, closes(path))]
    assert_agree(values(f"macd_{output}", path)[300:], theirs[300:], scale=PRICE)


def test_the_fast_average_begins_where_the_slow_one_does() -> None:
    # The fast one begins with 2 and 4, and goes on to 3 + (6 - 3) * 2 / 3; the slow one begins
    # with all three, and goes on to 35 + (6 - 35) / 2.
    said = values("macd_line", closing("99", "2", "4", "6"), 2, 3, 2)
    assert said[2:] == [Decimal(3 - 35), Decimal("-15.5")]


def test_the_line_is_known_before_its_average() -> None:
    assert make("macd_line").needed == 26
    assert make("macd_signal").needed == make("macd_histogram").needed == 34
    assert make("macd_line").warm_up == 26 + 94
    assert make("macd_signal").warm_up == 26 + 94 + 9 + 35
    path = closing("1", "2", "3", "5")
    assert [one is None for one in values("macd_line", path, 2, 3, 2)] == [True, True, False, False]
    for name in ("macd_signal", "macd_histogram"):
        known = [one is None for one in values(name, path, 2, 3, 2)]
        assert known == [True, True, True, False]


@pytest.mark.parametrize("fast", [3, 4])
def test_fast_must_be_faster(fast: int) -> None:
    with pytest.raises(ValueError, match=f"macd_line: fast must be smaller .* not {fast} and 3"):
        make("macd_line", number(fast, 3, 2))
