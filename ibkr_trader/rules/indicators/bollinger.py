"""Bollinger's bands: the mean of the last closes, and so many deviations off it."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count, factor

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Bollinger(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three lines; the deviation is the population's, as Bollinger's own."""

    bars: int
    width: Decimal  # in deviations: negative below the mean, zero for the middle
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

    def after(self, bar: Bar) -> Bollinger:
        """See `Indicator`."""
        closes = (*self.closes, bar.close)[-self.bars :]
        value = self._line(closes) if len(closes) == self.bars else None
        return Bollinger(
            bars=self.bars, width=self.width, value=value, seen=self.seen + 1, closes=closes
        )

    def _line(self, closes: tuple[Decimal, ...]) -> Decimal:
        with localcontext(ARITHMETIC):
            mean = sum(closes, ZERO) / self.bars
            if not self.width:
                return mean
            squares = sum(((one - mean) ** 2 for one in closes), ZERO)
            return mean + self.width * (squares / self.bars).sqrt()


_SIGNS = {"upper": 1, "middle": 0, "lower": -1}


@indicator(
    "bollinger",
    count("bars", least=2, default=20),
    factor("width", least="0.1", most="10", default="2"),
    doc="Bollinger's bands: the mean of the last closes, and so many deviations off it.",
    outputs=tuple(_SIGNS),
)
def bollinger(asked: Asked) -> Bollinger:
    """Return an empty one."""
    bars, width = asked.numbers
    return Bollinger(bars=int(bars), width=_SIGNS[asked.output] * width)
