"""What two exits did while nobody was connected is put right once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("both-fill-offline", incidents=(10, 1), faults=("E07", "D06"), naked=timedelta(seconds=15))
async def both_fill_offline(scene: Scene) -> None:
    """Stop and target both trade while the connection is down."""
    await held_bracket(scene)
    await scene.broker.slow_oca(1, 2, 3)
    await scene.broker.lose_link()
    await scene.floor.trade("stop", "target")
    scene.did("stop and target both trade while the link is down")
    await scene.gateway.wait(20)
    scene.did("the link is back")
    await flat(scene)
