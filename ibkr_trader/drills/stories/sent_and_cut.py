"""An order that arrived though its sender was cut off is found, and not sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("sent-and-cut", incidents=(1, 17), faults=("A02", "D06"))
async def sent_and_cut(scene: Scene) -> None:
    """A bracket fills in the moment in which the connection breaks."""
    cut = Fault(when=When(names=("placeOrder",), nth=3), act=Cut(at="after"))
    scene.gateway.faults.arm(cut)
    why = await scene.trying(begin(ask(scene, bracket(scene), wait=Wait.NONE)))
    scene.did(f"a bracket arrives and fills, and the line breaks{f': {why}' if why else ''}")
    await scene.gateway.wait(30)
    scene.did("the link is back")
    believed(scene, scene.size)
    await protected(scene, scene.size)
