"""A corrected execution replaces the first one; it is no second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("execution-corrected", incidents=(6,), faults=("D01", "D02"))
async def execution_corrected(scene: Scene) -> None:
    """The exchange corrects the size of an execution."""
    await held_bracket(scene)
    less = scene.size - 1
    exec_id = scene.ledger.executions(scene.con_id)[0].exec_id
    await scene.broker.correct(exec_id, quantity=str(less))
    scene.did(f"the exchange corrects the execution: {less} were bought, not {scene.size}")
    await scene.gateway.wait(5, step=0.25)
    believed(scene, less)
    await protected(scene, less)
