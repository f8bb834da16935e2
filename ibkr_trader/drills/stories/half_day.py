"""On a half day the day ends at the real close."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.day_ends import end_the_day
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene

_OPENED = datetime(2026, 11, 27, 15, tzinfo=UTC)  # the day after Thanksgiving, 10:00 in New York


@drill("half-day", incidents=(25,), faults=("F06", "F07"), opened_at=_OPENED)
async def half_day(scene: Scene) -> None:
    """The market closes at one o'clock."""
    await held_bracket(scene)
    await end_the_day(scene, datetime(2026, 11, 27, 18, tzinfo=UTC))
    await flat(scene)
