"""What fills while the broker is out of reach is told by nobody: it has to be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("fills-during-1100", incidents=(1, 15), faults=("A05", "A07", "D06"))
async def fills_during_1100(scene: Scene) -> None:
    """An order fills while TWS has lost the broker."""
    await resting_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("1100")
    scene.did("1100: TWS has lost the broker")
    await scene.floor.trade("entry")
    scene.did("the entry fills, and nobody is told")
    await scene.gateway.wait(20)
    await scene.broker.befall("1102")
    scene.did("1102: it is back, and the fill is not told later either")
    await scene.gateway.wait(3)
    believed(scene, scene.held)
    await protected(scene, scene.size)
