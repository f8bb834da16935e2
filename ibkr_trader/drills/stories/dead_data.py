"""Prices that were lost with the broker are asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("dead-data", incidents=(15,), faults=("A06", "F01"))
async def dead_data(scene: Scene) -> None:
    """TWS comes back with 1101: every subscription to prices is dead."""
    await held_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("1100")
    await scene.gateway.wait(10)
    await scene.broker.befall("1101")
    scene.did("1100, then 1101: the broker is back, and every subscription is gone")
    since = scene.gateway.clock.now()
    await scene.gateway.wait(10)
    anew = [one for one in scene.gateway.wire.sent("reqMktData") if one.at >= since]
    scene.must(anew, "nobody asks for prices again")
    why = await another_bracket(scene)
    scene.must(not why, "the desk has no prices any more")
    no_more_than(scene, 2, "entry")
    await protected(scene, scene.size)
