"""A stop that is left without its position would open a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import through_the_stop

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("orphan-stop", incidents=(11,), faults=("D09", "D06"))
async def orphan_stop(scene: Scene) -> None:
    """A position is closed while no desk runs, and its stop stays at the broker."""
    await held_bracket(scene)
    await scene.stop()
    await scene.hand.close()
    scene.did("the position is closed by hand while no desk runs")
    await scene.start()
    await scene.gateway.wait(2, step=0.25)
    await through_the_stop(scene)
