"""Bars for the shipped strategies: a market that drifts, turns and breaks out, the same each time.

On the first day the price stands still: it warms the averages up, and nothing that looks at the
range of an opening depends on whether the first opening is known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from ibkr_trader.core.models import Bar, Contract

if TYPE_CHECKING:
    from collections.abc import Iterator

AAPL = Contract(symbol="AAPL", con_id=1)
MINUTE = timedelta(minutes=1)
OPENS = datetime(2026, 11, 16, 14, 30, tzinfo=UTC)  # a Monday
SESSION = 390  # minutes
DAYS = 5
_CENT = Decimal("0.01")
_LEG = 45  # minutes of one drift


def example_bars(seed: int = 1) -> Iterator[Bar]:
    """Yield a week of one-minute bars."""
    chance = Random(seed)  # noqa: S311 - a market, not a secret
    price, drift = 15_000, 0.0  # in cents
    for day in range(DAYS):
        for minute in range(SESSION):
            if minute % _LEG == 0:
                drift = chance.choice((-5.0, -2.0, 0.0, 2.0, 5.0))
            close = price + round(drift + chance.uniform(-9, 9)) if day else price
            wicks = [round(chance.uniform(0, 4)) if day else 1 for _ in range(2)]
            yield _bar(
                OPENS + timedelta(days=day, minutes=minute),
                [price, max(price, close) + wicks[0], min(price, close) - wicks[1], close],
                volume=1_000 + chance.randrange(1_000),
            )
            price = close


def _bar(at: datetime, cents: list[int], *, volume: int) -> Bar:
    first, high, low, close = (one * _CENT for one in cents)
    return Bar(
        contract=AAPL, at=at, open=first, high=high, low=low, close=close, volume=Decimal(volume)
    )
