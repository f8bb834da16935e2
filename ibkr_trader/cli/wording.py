"""Times and counts as the commands write them.

Times are in the exchange's zone, which is named, or in UTC.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ibkr_trader.core import text
from ibkr_trader.core.trading_day import NEW_YORK

if TYPE_CHECKING:
    from datetime import datetime

FIRST_ORDER = (
    "ibkr-trader bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
)


def when(moment: datetime | None, *, utc: bool = False, zone: str = NEW_YORK) -> str:
    """Return a moment in `zone`, or in UTC if that was asked for."""
    return text.moment(moment, UTC if utc else ZoneInfo(zone))


def counted(number: int, what: str) -> str:
    """Return how many there are of something: `1 symbol`, `2 symbols`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
