"""The highest high and the lowest low of the last bars."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Extreme(msgspec.Struct, frozen=True, kw_only=True):
    """The highest of the last `bars` highs or the lowest of their lows, the last bar among them.

    So no close ever leaves it behind: a breakout is a close beyond its value a bar ago.
    """

    bars: int
    is_high: bool
    value: Decimal | None = None
    seen: int = 0
    prices: tuple[Decimal, ...] = ()

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.bars

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.bars

    def after(self, bar: Bar) -> Extreme:
        """See `Indicator`."""
        prices = (*self.prices, bar.high if self.is_high else bar.low)[-self.bars :]
        value = None
        if len(prices) == self.bars:
            value = max(prices) if self.is_high else min(prices)
        return Extreme(
            bars=self.bars, is_high=self.is_high, value=value, seen=self.seen + 1, prices=prices
        )
