"""Whatever a killed desk has left at the broker, the next one finds and looks after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import REST, ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import through_the_stop
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("trader-killed", incidents=(5, 14), faults=("G01", "D06"))
async def trader_killed(scene: Scene) -> None:
    """The desk is killed right after it has sent a bracket, and its entry fills meanwhile."""
    await begin(ask(scene, bracket(scene, limit=REST), wait=Wait.NONE))
    scene.did("a bracket is sent")
    await scene.gateway.quiet()
    await scene.kill()
    await scene.floor.trade("entry", quantity=scene.size * 4 // 10)
    scene.did("its entry fills in part while no desk runs")
    await scene.gateway.wait(5)
    await scene.start()
    await scene.gateway.wait(5)
    await scene.floor.trade("entry")
    scene.did("the rest fills")
    await scene.gateway.wait(2)
    scene.must(scene.held == scene.size, f"{scene.held} are held, not {scene.size}")
    await through_the_stop(scene)
