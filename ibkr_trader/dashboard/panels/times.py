"""The time of day as a screen shows it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from ibkr_trader.core import text


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """Return a zone by its name; UTC, which is then named, if nobody knows such a zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def clock(at: datetime | None, zone: tzinfo) -> str:
    """Return the time of day with its zone: `10:01:31 EST`."""
    return text.moment(at, zone, with_date=False)
