"""A symbol's daily prices, as far as correlations and ranges need them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

from ibkr_trader.core.models import ZERO, Bar

RANGE_DAYS = 14  # Wilder's: what traders call the ATR
_RANGE_STEP = Decimal("0.000001")


class DayBar(msgspec.Struct, frozen=True, array_like=True):
    """One session's prices."""

    day: date
    high: Decimal
    low: Decimal
    close: Decimal

    @property
    def is_sane(self) -> bool:
        """Whether these are prices at all."""
        prices = (self.low, self.close, self.high)
        return all(price.is_finite() and price > 0 for price in prices) and self.low <= self.high


class PriceHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What a symbol cost on some days, oldest first.

    Attributes:
        symbol: As the broker writes it.
        through: The last day on which a session can have been completed when this was asked for.
        asked: How many sessions were asked for; fewer bars means that there were no more.
        industry: What the broker calls its branch; empty if it calls it nothing.
        bars: One a session; days on which it did not trade are missing.
    """

    symbol: str
    through: date
    asked: int = 0
    industry: str = ""
    bars: tuple[DayBar, ...] = ()


def history_of(
    symbol: str, bars: Iterable[Bar], *, through: date, asked: int, industry: str = ""
) -> PriceHistory:
    """Return the completed sessions of some daily bars: the one under way is left out.

    A bar's day is that of its start in UTC, as the broker stamps it. What is no price is no
    bar; of two bars of one day the later counts.
    """
    days = {
        bar.at.date(): DayBar(bar.at.date(), bar.high, bar.low, bar.close)
        for bar in bars
        if bar.at.date() <= through
    }
    kept = tuple(days[day] for day in sorted(days) if days[day].is_sane)
    return PriceHistory(symbol=symbol, through=through, asked=asked, industry=industry, bars=kept)


def average_range(history: PriceHistory) -> Decimal | None:
    """Return the mean true range of the last sessions as a fraction of the last close.

    None without two sessions. The true range spans a gap from the close before.
    """
    bars = history.bars[-RANGE_DAYS - 1 :]
    if len(bars) < 2:  # noqa: PLR2004 - a range needs the close before it
        return None
    spans = [
        max(bar.high, before.close) - min(bar.low, before.close)
        for before, bar in itertools.pairwise(bars)
    ]
    mean = sum(spans, ZERO) / len(spans)
    return (mean / bars[-1].close).quantize(_RANGE_STEP)
