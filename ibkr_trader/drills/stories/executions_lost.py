"""A fill of which only the status tells is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway import fault_rules as rules

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("executions-lost", incidents=(1,), faults=("B07", "D04"))
async def executions_lost(scene: Scene) -> None:
    """Executions are lost on their way; only statuses tell of a fill."""
    scene.gateway.faults.arm(*rules.status_without_exec())
    scene.did("executions and commissions are lost on their way")
    await begin(ask(scene, bracket(scene), wait=Wait.NONE))
    scene.did("a bracket is sent, and its entry fills")
    await scene.gateway.wait(10)
    believed(scene, scene.size)
    await protected(scene, scene.size)
