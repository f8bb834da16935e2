"""An order that nobody speaks of is unknown: it is never sent a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import first_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.sim.gateway import fault_rules as rules

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("no-answer", incidents=(13, 17), faults=("B01", "E04"))
async def no_answer(scene: Scene) -> None:
    """The gateway swallows an order: no answer comes, ever."""
    scene.gateway.faults.arm(*rules.swallow(order="entry"))
    await first_bracket(scene)
    scene.did("a bracket is sent; the gateway swallows its entry without a word")
    await scene.gateway.wait(60)
    await scene.broker.lose_link()
    scene.did("the link is lost, and comes back")
    await scene.gateway.wait(30)
    no_more_than(scene, 1, "entry")
    await flat(scene)
