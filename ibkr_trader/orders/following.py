"""What a trail may believe of the market: the best price that was really there.

A trail ratchets: what it has believed once it cannot take back. So it looks at the side of
the market at which it would be filled (the bid for a sell stop, the ask for a buy stop),
at live two-sided quotes only, and a jump counts once a later tick agrees with it, or the
quote has stood for a while: a quiet market brings no second tick. What is too far away to
be true waits for that tick all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.core.enums import DataType, Side
from ibkr_trader.core.models import Quote

# One bad print brings several ticks, one for each figure of it, all at once.
CONFIRMED_AFTER = timedelta(milliseconds=250)
STANDS_AFTER = timedelta(seconds=1)
STANDS_WITHIN = Decimal("0.1")  # of the best so far


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """What a trail has seen.

    Attributes:
        best: The best price believed so far; None before the first.
        doubtful: A better one, further away than a tick goes, that awaits another.
        doubtful_at: Since when.
        market: The price at which the stop would be filled now; None while the quote is not
            one to act on.
        seen_at: When that was quoted.
    """

    best: Decimal | None = None
    doubtful: Decimal | None = None
    doubtful_at: datetime | None = None
    market: Decimal | None = None
    seen_at: datetime | None = None

    def after(self, quote: Quote, at: datetime, *, side: Side, leeway: Decimal) -> Following:
        """Return what is believed after a quote.

        Args:
            quote: All of it as it now stands.
            at: When it came.
            side: The side of the stop.
            leeway: How far beyond the best a single tick is believed.
        """
        market = _price(quote, side)
        if market is None:
            return self if self.market is None else msgspec.structs.replace(self, market=None)
        best, doubtful, doubtful_at = self._judged(market, at, side=side, leeway=leeway)
        return Following(
            best=best, doubtful=doubtful, doubtful_at=doubtful_at, market=market, seen_at=at
        )

    def standing(self, at: datetime, *, side: Side) -> Following:
        """Return what is believed at `at`, no tick having come since: what stands is there."""
        if self.doubtful is None or self.doubtful_at is None or self.market is None:
            return self
        pair = (self.market, self.doubtful)
        worse = min(pair) if side is Side.SELL else max(pair)
        is_far = self.best is None or abs(worse - self.best) > self.best * STANDS_WITHIN
        if is_far or at - self.doubtful_at < STANDS_AFTER:
            return self
        return msgspec.structs.replace(self, best=worse, doubtful=None, doubtful_at=None)

    def _judged(
        self, market: Decimal, at: datetime, *, side: Side, leeway: Decimal
    ) -> tuple[Decimal | None, Decimal | None, datetime | None]:
        sign = -side.sign  # a sell stop follows upwards
        if self.best is not None and (market - self.best) * sign <= leeway:
            return (market if (market - self.best) * sign > 0 else self.best), None, None
        if self.doubtful is None or self.doubtful_at is None:
            return self.best, market, at
        worse = min(market, self.doubtful) if sign > 0 else max(market, self.doubtful)
        if at - self.doubtful_at < CONFIRMED_AFTER:
            return self.best, worse, self.doubtful_at
        return worse, None, None


def _price(quote: Quote, side: Side) -> Decimal | None:
    """Return where a stop of `side` would be filled, if the quote is one to act on."""
    if quote.halted or quote.data_type is not DataType.LIVE or not quote.is_two_sided:
        return None
    return quote.bid if side is Side.SELL else quote.ask
