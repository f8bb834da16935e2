"""A gateway that says nothing more is dead, though its socket stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import REST, ask, bracket, resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway.transport_faults import Blackhole

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("silent-gateway", incidents=(15, 1), faults=("A12", "D06"))
async def silent_gateway(scene: Scene) -> None:
    """The gateway falls silent while its socket stays open, and an order fills."""
    await resting_bracket(scene)
    await scene.gateway.wait(3)
    scene.gateway.server.arm(Blackhole(seconds=30, standing=True))
    scene.did("the gateway falls silent; the socket stays open")
    await scene.floor.trade("entry")
    scene.did("the entry fills, and nobody is told")
    await scene.gateway.wait(12)
    why = await scene.trying(ask(scene, bracket(scene, limit=REST), wait=Wait.NONE))
    scene.did(f"another bracket is asked for: {why or 'it is sent'}")
    await scene.gateway.wait(30)
    scene.did("the silence is over")
    ours = sum(one.quantity for one in scene.trader.portfolio.positions.values())
    scene.must(ours == scene.held, f"the desk believes in {ours}")
    no_more_than(scene, 2, "entry")
    await protected(scene, scene.size)
