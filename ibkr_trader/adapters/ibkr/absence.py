"""A gateway that is gone: was it to be, until when, and what is said meanwhile.

TWS and IB Gateway restart every day at an hour that their owner has set. A link that is lost
within that window is no trouble: it is told once, with when it is to be back, and only if it is
not back by then is anybody called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.risk.blackouts import end_after, holds

if TYPE_CHECKING:
    from datetime import datetime

STILL = "still not connected"  # begins whatever is said of a gateway that is gone


class Absence:
    """What is known of the gateway's absence, from its loss on."""

    def __init__(self, window: str) -> None:
        self._window = window
        self._until: datetime | None = None

    def begin(self, now: datetime) -> datetime | None:
        """Take note of a loss; return when the restart window ends that holds it, in UTC."""
        zone = ZoneInfo(NEW_YORK)
        is_expected = bool(self._window) and holds(self._window, now.astimezone(zone))
        self._until = end_after(self._window, now, zone) if is_expected else None
        return self._until

    def words(self, why: str, now: datetime) -> tuple[str, bool]:
        """Return what to say of an attempt that failed, and whether it is serious; "" is nothing.

        `why` is the attempt's own reason.
        """
        if self._until is None:
            return f"{STILL}: {why}", False
        if now < self._until:
            return "", False
        self._until = None
        return f"{STILL}, and the gateway's restart window is over: {why}", True
