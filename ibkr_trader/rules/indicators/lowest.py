"""The lowest low of the last bars."""

from __future__ import annotations

from ibkr_trader.rules.extremes import Extreme
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count


@indicator("lowest", count("bars"), doc="The lowest low of the last bars, this one included.")
def lowest(asked: Asked) -> Extreme:
    """Return an empty one."""
    return Extreme(bars=asked.counts[0], is_high=False)
