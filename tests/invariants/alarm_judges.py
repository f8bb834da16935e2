"""L6: whoever must hear of something hears of it again, until somebody takes note.

Judged by what a messenger was given, and when.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def l6_told_again(told: Sequence[float], *, seen: float, until: float, longest: float) -> list[str]:
    """Judge one alarm that was there from second zero on.

    Args:
        told: The seconds at which it was told.
        seen: When somebody took note.
        until: How long was listened.
        longest: The most seconds of silence that the rules allow.
    """
    before = [at for at in told if at <= seen]
    moments = [0.0, *before, seen]
    silent = [(one, other) for one, other in pairwise(moments) if other - one > longest]
    found = [f"L6 nobody was told between {one:g} s and {other:g} s" for one, other in silent]
    late = [at for at in told if seen < at <= until]
    return found + [f"L6 told at {at:g} s, though somebody has taken note" for at in late]
