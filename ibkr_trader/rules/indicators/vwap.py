"""The day's average price, weighted by volume."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.bars import added
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.market_days import Feed, MarketDay

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Vwap(msgspec.Struct, frozen=True, kw_only=True):
    """Typical price (high, low and close) times volume, by volume, since the day began.

    Unknown if the day's beginning was not seen (`MarketDay`), without any volume, and from a
    bar on whose volume nobody knows, until the next day.
    """

    feed: Feed
    day: MarketDay
    worth: Decimal = ZERO  # the sum of three typical prices times volume: exact
    volume: Decimal | None = ZERO
    value: Decimal | None = None
    seen: int = 0

    @property
    def needed(self) -> int:
        """See `Indicator`: with a known opening one bar; else one of the day before, too."""
        return 1 if self.feed.opens else 2

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.feed.two_days(self.needed)

    def after(self, bar: Bar) -> Vwap:
        """See `Indicator`."""
        day = self.day.after(bar.at)
        worth, volume = (ZERO, ZERO) if day.is_new else (self.worth, self.volume)
        value, volume = None, added(volume, bar.volume)
        if volume is not None and bar.volume is not None:
            with localcontext(ARITHMETIC):
                worth += (bar.high + bar.low + bar.close) * bar.volume
                value = worth / (3 * volume) if volume and day.began is not None else None
        return Vwap(
            feed=self.feed, day=day, worth=worth, volume=volume, value=value, seen=self.seen + 1
        )


@indicator("vwap", doc="The day's average price so far, weighted by volume.")
def vwap(asked: Asked) -> Vwap:
    """Return an empty one."""
    return Vwap(feed=asked.feed, day=MarketDay(asked.feed.opens))
