"""The highest high of the last bars."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Highest(msgspec.Struct, frozen=True, kw_only=True):
    """The highest of the last `bars` highs, that of the last bar among them.

    So no close ever leaves it behind: a breakout is a close beyond its value a bar ago.
    """

    bars: int
    value: Decimal | None = None
    seen: int = 0
    highs: tuple[Decimal, ...] = ()

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.bars

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.bars

    def after(self, bar: Bar) -> Highest:
        """See `Indicator`."""
        highs = (*self.highs, bar.high)[-self.bars :]
        value = max(highs) if len(highs) == self.bars else None
        return Highest(bars=self.bars, value=value, seen=self.seen + 1, highs=highs)


@indicator("highest", count("bars"), doc="The highest high of the last bars, this one included.")
def highest(asked: Asked) -> Highest:
    """Return an empty one."""
    return Highest(bars=asked.counts[0])
