"""The lowest low of the last bars."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Lowest(msgspec.Struct, frozen=True, kw_only=True):
    """The lowest of the last `bars` lows, that of the last bar among them.

    So no close ever leaves it behind: a breakout is a close beyond its value a bar ago.
    """

    bars: int
    value: Decimal | None = None
    seen: int = 0
    lows: tuple[Decimal, ...] = ()

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.bars

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.bars

    def after(self, bar: Bar) -> Lowest:
        """See `Indicator`."""
        lows = (*self.lows, bar.low)[-self.bars :]
        value = min(lows) if len(lows) == self.bars else None
        return Lowest(bars=self.bars, value=value, seen=self.seen + 1, lows=lows)


@indicator("lowest", count("bars"), doc="The lowest low of the last bars, this one included.")
def lowest(asked: Asked) -> Lowest:
    """Return an empty one."""
    return Lowest(bars=asked.counts[0])
