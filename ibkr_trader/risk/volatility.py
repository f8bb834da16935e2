"""How far a price moves on an average day: Wilder's average true range."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import Bar

PERIOD = 14  # days, as Wilder has it


def average_true_range(bars: Sequence[Bar], period: int = PERIOD) -> Decimal | None:
    """Return the average true range of daily bars, oldest first, in units of price.

    The first value is the plain mean of the first `period` true ranges, each later day moves
    it by one part in `period`. None if there are too few bars: one more than `period` are
    needed, because a day's range counts from the close before.
    """
    if len(bars) <= period:
        return None
    ranges = [
        max(bar.high, before.close) - min(bar.low, before.close) for before, bar in pairwise(bars)
    ]
    average = sum(ranges[:period], Decimal(0)) / period
    for one in ranges[period:]:
        average += (one - average) / period
    return average
