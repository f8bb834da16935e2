"""How long to wait before something that failed is tried again."""

from __future__ import annotations

_MOST_DOUBLINGS = 20


def growing(failures: int, *, first: float, most: float) -> float:
    """Return the seconds after so many failures in a row: twice as long each time, to a limit."""
    return max(first, min(most, first * (1 << min(max(failures, 1) - 1, _MOST_DOUBLINGS))))
