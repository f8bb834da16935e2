"""The opening range: how high and how low the first minutes of a day went."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count
from ibkr_trader.rules.market_days import Feed, MarketDay

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Bar


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """The high or the low of a day's first `span`; known once that is over, until the next day.

    Unknown if the day's beginning was not seen (`MarketDay`), and if no bar fell into the
    range. A bar belongs to the range it starts in.
    """

    span: timedelta
    is_high: bool
    feed: Feed
    day: MarketDay
    extreme: Decimal | None = None
    value: Decimal | None = None
    seen: int = 0

    @property
    def needed(self) -> int:
        """See `Indicator`: the bars of the range, and one to see the day begin by."""
        if self.feed.size is None:
            return 2
        return self.span // self.feed.size + (0 if self.feed.opens else 1)

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.feed.two_days(self.needed)

    def after(self, bar: Bar) -> Opening:
        """See `Indicator`."""
        day = self.day.after(bar.at)
        extreme = None if day.is_new else self.extreme
        value = None
        if day.began is not None:
            extreme, value = self._after(bar, day.began + self.span, extreme)
        return msgspec.structs.replace(
            self, day=day, extreme=extreme, value=value, seen=self.seen + 1
        )

    def _after(
        self, bar: Bar, ends: datetime, extreme: Decimal | None
    ) -> tuple[Decimal | None, Decimal | None]:
        """Return the extreme so far, and the value: the same once the range is over."""
        if bar.at >= ends:
            return extreme, extreme
        price = bar.high if self.is_high else bar.low
        if extreme is not None:
            price = max(extreme, price) if self.is_high else min(extreme, price)
        is_over = self.feed.size is not None and bar.at + self.feed.size >= ends
        return price, price if is_over else None


@indicator(
    "opening",
    count("minutes", most=600, default=30),
    doc="The high and the low of a day's first minutes, once they are over.",
    outputs=("high", "low"),
)
def opening(asked: Asked) -> Opening:
    """Return an empty one.

    Raises:
        ValueError: If bars of the feed's size cannot end with the range.
    """
    span = timedelta(minutes=asked.counts[0])
    if asked.feed.size is not None and span % asked.feed.size:
        raise ValueError(f"minutes: {span} is no whole number of bars of {asked.feed.size}")
    return Opening(
        span=span,
        is_high=asked.output == "high",
        feed=asked.feed,
        day=MarketDay(asked.feed.opens),
    )
