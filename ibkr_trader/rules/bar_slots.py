"""Where bars begin and end: the one place that aligns them.

Where a market's sessions are known, bars count from each opening, as TWS's do, and none
reaches over a close. Where they are not, bars count from midnight UTC, and none reaches
over the next.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.trading_day import session_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import Session

SHORTEST = timedelta(seconds=1)
DAY = timedelta(days=1)


class Slot(NamedTuple):
    """The time of one bar; `ends` is excluded."""

    starts: datetime
    ends: datetime


def check_size(size: timedelta) -> None:
    """Refuse a size that no bar has.

    Raises:
        ValueError: If it is shorter than a second or longer than a day.
    """
    if not SHORTEST <= size <= DAY:
        raise ValueError(f"a bar lasts from one second to one day, not {size}")


def slot_at(at: datetime, size: timedelta, sessions: Sequence[Session] = ()) -> Slot | None:
    """Return the time of the bar that a moment belongs to; None between sessions.

    Args:
        at: The moment, aware.
        size: How long a bar lasts. The last of a session, or of a day, may be shorter.
        sessions: When the market trades; empty if nobody knows.
    """
    if sessions:
        session = session_at(sessions, at)
        if session is None:
            return None
        opens, closes = session.opens, session.closes
    else:
        opens = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        closes = opens + DAY
    starts = opens + (at - opens) // size * size
    return Slot(starts, min(starts + size, closes))
