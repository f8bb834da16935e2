"""The convergence and divergence of two exponential averages."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count
from ibkr_trader.rules.smoothing import Average, exponential

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Macd(msgspec.Struct, frozen=True, kw_only=True):
    """One of line, signal (the line's own average) and histogram (the line less the signal).

    The fast average begins where the slow one has its first value, as TA-Lib's does: both
    begin with a mean of bars that end on the same one, so the line starts from one moment.
    """

    fast: Average
    slow: Average
    signal: Average
    output: str
    value: Decimal | None = None
    seen: int = 0

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        extra = 0 if self.output == "line" else self.signal.bars - 1
        return self.slow.bars + extra

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        extra = 0 if self.output == "line" else self.signal.settled
        return self.slow.settled + extra

    def after(self, bar: Bar) -> Macd:
        """See `Indicator`."""
        fast, signal, line = self.fast, self.signal, None
        with localcontext(ARITHMETIC):
            slow = self.slow.after(bar.close)
            if self.seen >= slow.bars - fast.bars:
                fast = fast.after(bar.close)
            if fast.value is not None and slow.value is not None:
                line = fast.value - slow.value
                signal = signal.after(line)
            value = self._picked(line, signal.value)
        return Macd(
            fast=fast,
            slow=slow,
            signal=signal,
            output=self.output,
            value=value,
            seen=self.seen + 1,
        )

    def _picked(self, line: Decimal | None, signal: Decimal | None) -> Decimal | None:
        if self.output == "line":
            return line
        if line is None or signal is None:
            return None
        return signal if self.output == "signal" else line - signal


@indicator(
    "macd",
    count("fast", least=2, default=12),
    count("slow", least=2, default=26),
    count("signal", default=9),
    doc="A fast exponential average less a slow one; its own average; the difference of both.",
    outputs=("line", "signal", "histogram"),
)
def macd(asked: Asked) -> Macd:
    """Return an empty one.

    Raises:
        ValueError: If the fast average is not the faster one.
    """
    fast, slow, signal = asked.counts
    if fast >= slow:
        raise ValueError(f"fast must be smaller than slow, not {fast} and {slow}")
    return Macd(
        fast=exponential(fast),
        slow=exponential(slow),
        signal=exponential(signal),
        output=asked.output,
    )
