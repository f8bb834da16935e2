"""A gateway that says nothing more is dead, though its socket stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import REST, ask, bracket, resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, no_more_than, protected
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("silent-gateway", incidents=(15, 1), faults=("A12", "D06"))
async def silent_gateway(scene: Scene) -> None:
    """The gateway falls silent while its socket stays open, and an order fills."""
    await resting_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("blackhole both 30 --standing")
    scene.did("the gateway falls silent; the socket stays open")
    await scene.floor.trade("entry")
    scene.did("the entry fills, and nobody is told")
    await scene.gateway.wait(12)
    why = await scene.trying(ask(scene, bracket(scene, limit=REST), wait=Wait.NONE))
    scene.did(f"another bracket is asked for: {why or 'it is sent'}")
    await scene.gateway.wait(30)
    scene.did("the silence is over")
    believed(scene, scene.held)
    no_more_than(scene, 2, "entry")
    await protected(scene, scene.size)
