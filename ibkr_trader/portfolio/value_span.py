"""Between which values a contract's position may end, whichever of its orders fill.

Signed: a short is worth less than nothing. What is held counts at the price at which it is
held, and what orders may add to it at the highest that anything here names. So what lowers
a sum beside others counts only as far as it is surely held, and at no more than its price.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.models import ZERO

if TYPE_CHECKING:
    from ibkr_trader.portfolio.contract_exposure import ContractExposure

# Rounded outward to this, sums stay exact however often something is added and taken away.
_STEP = Decimal("0.000001")


class Span(NamedTuple):
    """The lowest and the highest value that may follow, in the account's currency."""

    low: Decimal = ZERO
    high: Decimal = ZERO

    def plus(self, other: Span) -> Span:
        """Return the span of both together, in one position."""
        return Span(self.low + other.low, self.high + other.high)

    def minus(self, other: Span) -> Span:
        """Return the span without a part that is in it."""
        return Span(self.low - other.low, self.high - other.high)

    @property
    def reach(self) -> Decimal:
        """The larger of how far up and how far down it may end: never less than nothing."""
        return max(self.high, -self.low, ZERO)


NOTHING = Span()


def span_of(exposure: ContractExposure, market: Decimal | None = None) -> Span | None:
    """Return the span of a contract, what is held at the market's price if that is given.

    None if there is no price at all.
    """
    named, held = exposure.price, exposure.held
    price = named if market is None or (named is not None and named > market) else market
    if price is None:
        return None
    multiplier = exposure.multiplier
    unit = price * multiplier
    sure = exposure.held_price if market is None else market
    sure = unit if sure is None else sure * multiplier
    return Span(
        -_value(-exposure.shortest, -held, unit=unit, sure=sure),
        _value(exposure.longest, held, unit=unit, sure=sure),
    )


def _value(end: Decimal, held: Decimal, *, unit: Decimal, sure: Decimal) -> Decimal:
    """What a position of `end` is worth, of which up to `held` is there already."""
    there = min(end, max(held, ZERO))
    return (there * sure + (end - there) * unit).quantize(_STEP, ROUND_CEILING)
