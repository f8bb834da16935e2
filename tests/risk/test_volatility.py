from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.core.models import Bar
from ibkr_trader.risk.volatility import average_true_range
from tests.risk.world import AAPL, NOW


def day(number: int, high: str, low: str, close: str) -> Bar:
    figures = {"open": close, "high": high, "low": low, "close": close}
    return Bar(
        contract=AAPL,
        at=NOW + timedelta(days=number),
        **{name: Decimal(text) for name, text in figures.items()},
    )


def test_a_range_counts_from_the_close_before_where_the_day_opened_with_a_gap() -> None:
    flat = day(0, "101", "99", "100")
    assert average_true_range([flat, day(1, "101", "99", "100")], period=1) == 2
    assert average_true_range([flat, day(1, "111", "109", "110")], period=1) == 11
    assert average_true_range([flat, day(1, "91", "89", "90")], period=1) == 11


def test_the_first_is_a_mean_and_each_later_day_moves_it_by_one_part() -> None:
    days = [
        day(0, "101", "99", "100"),
        day(1, "102", "98", "100"),  # 4
        day(2, "101", "99", "100"),  # 2: the mean is 3
        day(3, "104", "97", "100"),  # 7: 3 + (7 - 3) / 2
    ]
    assert average_true_range(days, period=2) == 5


@pytest.mark.parametrize("count", [0, 1, 14])
def test_too_few_days_say_nothing(count: int) -> None:
    assert average_true_range([day(n, "101", "99", "100") for n in range(count)]) is None
    assert average_true_range([day(n, "101", "99", "100") for n in range(15)]) == 2
