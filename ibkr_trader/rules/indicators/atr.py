"""The average true range: how far the price moves in one bar, by Wilder."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count
from ibkr_trader.rules.smoothing import Average, wilder

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Atr(msgspec.Struct, frozen=True, kw_only=True):
    """Wilder's average of the true ranges.

    A range counts from the close before, so the first bar has none, as in TA-Lib and in
    `risk/volatility.py`: the desk must not know two figures by one name.
    """

    average: Average
    close: Decimal | None = None
    seen: int = 0

    @property
    def value(self) -> Decimal | None:
        """See `Indicator`."""
        return self.average.value

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.average.bars + 1

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.average.settled + 1

    def after(self, bar: Bar) -> Atr:
        """See `Indicator`."""
        average = self.average
        if self.close is not None:
            with localcontext(ARITHMETIC):
                spread = max(bar.high, self.close) - min(bar.low, self.close)
                average = average.after(spread)
        return Atr(average=average, close=bar.close, seen=self.seen + 1)


@indicator("atr", count("bars", default=14), doc="Wilder's average of the true ranges.")
def atr(asked: Asked) -> Atr:
    """Return an empty one."""
    return Atr(average=wilder(asked.counts[0]))
