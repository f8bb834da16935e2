"""The day ends by the exchange's clock, whatever the season does to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.day_ends import end_the_day
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene

_OPENED = datetime(2026, 3, 6, 15, tzinfo=UTC)  # a Friday, 10:00 in New York


@drill("summer-time", incidents=(25,), faults=("F05", "E10"), opened_at=_OPENED)
async def summer_time(scene: Scene) -> None:
    """Summer time begins over the weekend, and the market closes an hour earlier by UTC."""
    await held_bracket(scene)
    await end_the_day(scene, datetime(2026, 3, 9, 20, tzinfo=UTC))
    await flat(scene)
