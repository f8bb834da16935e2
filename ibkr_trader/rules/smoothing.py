"""Averages that never forget: the exponential one, and Wilder's, with the weight of one bar."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ibkr_trader.core.models import ZERO

# After so many bars for each of its own, less than a thousandth of where it began is left:
# ln(1000) is 6.9, and an exponential average of n bars forgets like Wilder's of n / 2.
_FORGOTTEN_WILDER = 7
_FORGOTTEN_EXPONENTIAL = Decimal("3.5")


class Average(msgspec.Struct, frozen=True, kw_only=True):
    """An average to which each new figure adds `share` of its distance.

    It begins with the plain mean of the first `bars` figures, as TA-Lib's and Wilder's own
    do: the first figure alone would weigh for hundreds of bars. Computes in the decimal
    context of its caller.

    Attributes:
        bars: How many figures it is an average of.
        share: Numerator and denominator of a new figure's weight.
        value: None until `bars` figures were seen.
    """

    bars: int
    share: tuple[int, int]
    value: Decimal | None = None
    seen: int = 0
    total: Decimal = ZERO

    @property
    def settled(self) -> int:
        """How many figures it takes until its beginning weighs less than a thousandth."""
        part, whole = self.share
        factor = _FORGOTTEN_WILDER if part == 1 else _FORGOTTEN_EXPONENTIAL
        return self.bars + int(factor * whole)

    def after(self, figure: Decimal) -> Average:
        """Take the next figure."""
        value, seen, total = self.value, self.seen, self.total
        if value is not None:
            part, whole = self.share
            value += (figure - value) * part / whole
        else:
            seen += 1
            total += figure
            if seen == self.bars:
                value = total / seen
        return Average(bars=self.bars, share=self.share, value=value, seen=seen, total=total)


def exponential(bars: int) -> Average:
    """Return an empty exponential average: a new figure weighs 2 / (n + 1)."""
    return Average(bars=bars, share=(2, bars + 1))


def wilder(bars: int) -> Average:
    """Return an empty average of Wilder's: a new figure weighs 1 / n."""
    return Average(bars=bars, share=(1, bars))
