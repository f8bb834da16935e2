"""Shares as bars: only all of it fills one, and nobody's guess draws one."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core import text
from ibkr_trader.core.models import ZERO
from ibkr_trader.dashboard.palette import Role

_HIGH = Decimal("0.8")
_MOST = Decimal("9.99")  # beyond it, the figure says nothing that the word OVER does not


def bar(share: Decimal | None, cells: int) -> str:
    """Return a share as a bar of so many cells; dots if it is not known."""
    if share is None or not share.is_finite():
        return "·" * cells
    return text.bar(share, cells)


def in_percent(share: Decimal | None) -> str:
    """Return a share in whole percent, rounded down: 99.9 % of a limit is not all of it."""
    if share is None or not share.is_finite():
        return text.UNKNOWN
    whole = int(min(max(share, ZERO), _MOST) * 100)
    return f"{whole} %"


def fullness(share: Decimal | None) -> tuple[str, str]:
    """Return the word and the role for how much of a limit is in use."""
    if share is None or not share.is_finite():
        return "UNKNOWN", Role.UNKNOWN
    if share > 1:
        return "OVER", Role.HALTED
    if share == 1:
        return "FULL", Role.FAULT
    return ("HIGH", Role.WARNING) if share >= _HIGH else ("", Role.UP)
