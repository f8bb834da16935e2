"""A stop that fires in the middle of a scale-in ends what is held, and no more."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import REST, begin, held_bracket, level
from ibkr_trader.drills.drill import drill
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.linked_orders import ScaleInRequest

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("scale-in-stopped", incidents=(7, 11), faults=("E11",))
async def scale_in_stopped(scene: Scene) -> None:
    """The stop of a position fires while more of it is being bought."""
    await held_bracket(scene)
    await scene.gateway.wait(3)
    more = scene.size * 6 // 10
    request = ScaleInRequest(
        symbol=scene.symbol, quantity=Decimal(more), limit_price=level(scene, REST)
    )
    await begin(scene.doing(scene.desk.submit_group(request, wait=Wait.ACCEPTED)))
    scene.did(f"{more} more are asked for at {request.limit_price}")
    await scene.floor.trade("entry.2", quantity=1)
    scene.did("1 of them fills")
    await scene.gateway.wait(3, step=0.25)
    await scene.floor.trade("stop")
    scene.did("the stop fires")
    await scene.gateway.wait(10, step=0.25)
    scene.must(scene.held >= 0, f"the position has turned round to {scene.held}")
