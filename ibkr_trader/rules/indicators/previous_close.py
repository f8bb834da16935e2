"""The close of the day before."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.market_days import Feed, MarketDay

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class PreviousClose(msgspec.Struct, frozen=True, kw_only=True):
    """The close of the last bar of the day before, by `MarketDay`.

    Unknown until a day begins after a bar of another, and when a day's end was not seen.
    """

    feed: Feed
    day: MarketDay
    close: Decimal | None = None
    value: Decimal | None = None
    seen: int = 0

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return 2

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.feed.two_days(self.needed)

    def after(self, bar: Bar) -> PreviousClose:
        """See `Indicator`."""
        day = self.day.after(bar.at)
        value = self.close if day.is_new else self.value
        return PreviousClose(
            feed=self.feed,
            day=day,
            close=bar.close,
            value=value if day.began is not None else None,
            seen=self.seen + 1,
        )


@indicator("previous_close", doc="The close of the day before.")
def previous_close(asked: Asked) -> PreviousClose:
    """Return an empty one."""
    return PreviousClose(feed=asked.feed, day=MarketDay(asked.feed.opens))
