"""Two live orders under one name are noticed, and nothing is opened until a person has looked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, bracket, resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("twin-orders", incidents=(5,), faults=("C07",))
async def twin_orders(scene: Scene) -> None:
    """TWS has one order of ours twice, under two permanent ids."""
    await resting_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("two-permids entry")
    scene.did("TWS has the entry twice, under two permanent ids")
    await scene.gateway.wait(3)
    await scene.broker.lose_link()
    await scene.gateway.wait(20)
    scene.did("the link is lost, and comes back")
    why = await scene.trying(ask(scene, bracket(scene, limit=Decimal(-1)), wait=Wait.NONE))
    scene.did(f"another bracket is asked for: {why or 'it is sent'}")
    no_more_than(scene, 1, "entry")
