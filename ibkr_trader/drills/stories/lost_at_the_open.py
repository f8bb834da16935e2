"""A stop that fires at the open while TWS has lost the broker is known right after."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import STOP, another_bracket, held_bracket, level
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, flat, no_more_than

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("1100-at-open", incidents=(1, 15), faults=("A05", "A07", "E13"))
async def lost_at_the_open(scene: Scene) -> None:
    """TWS loses the broker at the open, and the stop fires."""
    await held_bracket(scene)
    opens = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # Monday, 09:30 in New York
    left = (opens - scene.gateway.clock.now()).total_seconds()
    await scene.gateway.wait(left - 10, step=3600)
    await scene.broker.befall("1100")
    scene.did("1100, ten seconds before the open")
    await scene.gateway.wait(12)
    await scene.floor.gap(str(level(scene, STOP - 1)))
    scene.did("the market opens below the stop, which fires; nobody is told")
    await another_bracket(scene)
    no_more_than(scene, 1, "entry")
    await scene.gateway.wait(20)
    await scene.broker.befall("1102")
    scene.did("1102: the broker is back")
    await scene.gateway.wait(3)
    believed(scene, scene.held)
    await flat(scene)
