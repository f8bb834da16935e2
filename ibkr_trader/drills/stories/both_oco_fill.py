"""Both exits of a position can trade before one has ended the other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("both-oco-fill", incidents=(10,), faults=("E07", "D05"), naked=timedelta(seconds=5))
async def both_oco_fill(scene: Scene) -> None:
    """Stop and target of one position trade in the same moment."""
    await held_bracket(scene)
    await scene.broker.slow_oca(1, 2, 3)
    await scene.floor.trade("stop", "target")
    scene.did("stop and target trade in the same moment: more is sold than was held")
    scene.must(scene.held == -scene.size, "the race did not come off")
    await scene.gateway.wait(10, step=0.25)
    await flat(scene)
