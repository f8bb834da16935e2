"""The simple moving average: the mean of the last closes."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Sma(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of the last `bars` closes, added up anew each time: no error is handed on."""

    bars: int
    value: Decimal | None = None
    seen: int = 0
    closes: tuple[Decimal, ...] = ()

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.bars

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.bars

    def after(self, bar: Bar) -> Sma:
        """See `Indicator`."""
        closes = (*self.closes, bar.close)[-self.bars :]
        value = None
        if len(closes) == self.bars:
            with localcontext(ARITHMETIC):
                value = sum(closes, ZERO) / self.bars
        return Sma(bars=self.bars, value=value, seen=self.seen + 1, closes=closes)


@indicator("sma", count("bars"), doc="The mean of the last closes.")
def sma(asked: Asked) -> Sma:
    """Return an empty one."""
    return Sma(bars=asked.counts[0])
