"""The highest high of the last bars."""

from __future__ import annotations

from ibkr_trader.rules.extremes import Extreme
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count


@indicator("highest", count("bars"), doc="The highest high of the last bars, this one included.")
def highest(asked: Asked) -> Extreme:
    """Return an empty one."""
    return Extreme(bars=asked.counts[0], is_high=True)
