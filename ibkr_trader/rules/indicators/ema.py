"""The exponential moving average of the closes."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count
from ibkr_trader.rules.smoothing import Average, exponential

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Ema(msgspec.Struct, frozen=True, kw_only=True):
    """An exponential average; it begins with the plain mean, as TA-Lib's does."""

    average: Average
    seen: int = 0

    @property
    def value(self) -> Decimal | None:
        """See `Indicator`."""
        return self.average.value

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.average.bars

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.average.settled

    def after(self, bar: Bar) -> Ema:
        """See `Indicator`."""
        with localcontext(ARITHMETIC):
            return Ema(average=self.average.after(bar.close), seen=self.seen + 1)


@indicator("ema", count("bars"), doc="The exponential average of the closes.")
def ema(asked: Asked) -> Ema:
    """Return an empty one."""
    return Ema(average=exponential(asked.counts[0]))
