"""How long ago, how long since, how long until: short, and no finer than anybody needs."""

from __future__ import annotations

from datetime import datetime, timedelta

from ibkr_trader.core import text

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def lapse(since: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in one unit: `12s`, `5m`, `3h`, `2d`.

    Coarse on purpose: a row that only grows older need not be drawn again.
    """
    if since is None:
        return text.UNKNOWN
    seconds = max(0, int((now - since) / timedelta(seconds=1)))
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m"
    return f"{seconds // _HOUR}h" if seconds < _DAY else f"{seconds // _DAY}d"


def age(since: datetime | None, now: datetime) -> str:
    """Return an order's age in steps: its first minute in tens of seconds, then as `lapse`."""
    told = lapse(since, now)
    return f"{int(told[:-1]) // 10 * 10}s" if told.endswith("s") else told


def exact(since: datetime, now: datetime) -> str:
    """Return how long something lasts to the second, while that matters: `12s`, `3m 05s`."""
    seconds = max(0, int((now - since) / timedelta(seconds=1)))
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}m {seconds % _MINUTE:02}s"
    return until(since + timedelta(seconds=seconds), since)


def until(then: datetime, now: datetime) -> str:
    """Return how long it is until `then`: `5h 58m`, `12 min`, `2d 17h`."""
    seconds = max(0, int((then - now) / timedelta(seconds=1)))
    if seconds < _MINUTE:
        return "under 1 min"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h {seconds % _HOUR // _MINUTE:02}m"
    return f"{seconds // _DAY}d {seconds % _DAY // _HOUR}h"
