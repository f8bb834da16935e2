"""What filled before midnight with nobody there shows in the position alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("midnight-rollover", incidents=(1, 6), faults=("A09", "D06"))
async def midnight_rollover(scene: Scene) -> None:
    """An order fills with nobody there, and its execution is told no more after midnight."""
    await resting_bracket(scene)
    await scene.stop()
    await scene.floor.trade("entry")
    scene.did("the entry fills while no desk runs")
    await scene.broker.befall("midnight-rollover")
    scene.did("midnight passes: TWS tells of that execution no more")
    await scene.start()
    await scene.gateway.wait(10)
    believed(scene, scene.held)
    await protected(scene, scene.size)
