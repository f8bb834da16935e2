from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.rules.smoothing import Average, exponential, wilder


def after(average: Average, *figures: str) -> Average:
    for one in figures:
        average = average.after(Decimal(one))
    return average


def test_it_begins_with_the_plain_mean() -> None:
    assert after(wilder(3), "1", "2").value is None
    assert after(wilder(3), "1", "2", "6").value == 3


def test_wilders_adds_one_part_and_the_exponential_two_of_one_more() -> None:
    assert after(wilder(2), "2", "4", "9").value == 6  # 3 + (9 - 3) / 2
    assert after(exponential(2), "2", "4", "9").value == 7  # 3 + (9 - 3) * 2 / 3


@pytest.mark.parametrize("average", [wilder(2), wilder(14), exponential(2), exponential(50)])
def test_when_it_has_settled_its_beginning_weighs_less_than_a_thousandth(average: Average) -> None:
    begun = after(average, *["1"] * average.bars)
    late = after(begun, *["0"] * (average.settled - average.bars))
    assert late.value is not None
    assert late.value < Decimal("0.001")
    assert after(begun, *["0"] * ((average.settled - average.bars) // 2)).value > late.value  # type: ignore[operator]  # it has begun
