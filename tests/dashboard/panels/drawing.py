"""What the tests of panels share: a frame, and lines as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ibkr_trader.dashboard.panels.frame import Frame
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.spans import Line, width


def frame(columns: int = 80, rows: int = 8, **changes: Any) -> Frame:
    """Return a frame of that size, with a new cache."""
    return Frame(columns, rows, RowCache(), **changes)


def shown(lines: Iterable[Line]) -> list[str]:
    """Return lines as text."""
    return ["".join(text for text, _ in line) for line in lines]


def roles_of(lines: Iterable[Line], word: str) -> set[str]:
    """Return the roles of the pieces that have a word in them."""
    return {role for line in lines for text, role in line if word in text}


def is_sized(lines: list[Line], columns: int, rows: int) -> bool:
    """Whether there are exactly so many lines of exactly that width."""
    return len(lines) == rows and {width(line) for line in lines} == {columns}
