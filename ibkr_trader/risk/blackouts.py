"""Stretches of the exchange's day in which nothing is opened, told by its wall clock.

Each is text such as `23:40-00:20`: from the first minute on, before the second; over midnight
if it ends earlier than it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo

_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SHAPE = re.compile(f"({_CLOCK})-({_CLOCK})")
_DAY = timedelta(days=1)
NO_WINDOW = "none"  # what a setting says that names one window, where there is none


def is_window(text: str) -> bool:
    """Whether `text` is a window: from, until, and not the same."""
    match = _SHAPE.fullmatch(text)
    return match is not None and match[1] != match[2]


def refuse_malformed(windows: Iterable[str]) -> None:
    """Look whether each of `windows` can be read.

    Raises:
        ValueError: If one of them cannot, or ends when it begins.
    """
    for window in windows:
        if not is_window(window):
            raise ValueError(f'blackouts has {window!r}: write "23:40-00:20", from and until')


def holds(window: str, local: datetime) -> bool:
    """Whether `window` holds the moment `local`, as its own clock shows it."""
    # Written so, clocks compare as text; this is asked at every review.
    clock, begins, ends = f"{local.hour:02}:{local.minute:02}", window[:5], window[6:]
    if begins < ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends


def end_after(window: str, moment: datetime, zone: tzinfo) -> datetime:
    """Return when the `window` ends that holds `moment`, in UTC."""
    local, ends = moment.astimezone(zone), time.fromisoformat(window[6:])
    day = local.date() if local.time() < ends else local.date() + _DAY
    return datetime.combine(day, ends, tzinfo=zone).astimezone(UTC)


def restarts(until: datetime, zone: tzinfo) -> str:
    """Return the words for a gateway that is gone because it restarts each day."""
    return f"restart window until {until.astimezone(zone):%H:%M %Z}"
