"""A bracket that was cut off half sent must never trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("half-sent-bracket", incidents=(9, 14), faults=("E01", "A01"))
async def half_sent_bracket(scene: Scene) -> None:
    """The connection breaks in the middle of a bracket."""
    cut = Fault(when=When(names=("placeOrder",), nth=2), act=Cut())
    scene.gateway.faults.arm(cut)
    why = await scene.trying(begin(ask(scene, bracket(scene), wait=Wait.NONE)))
    scene.did(f"the line breaks at the second order of a bracket{f': {why}' if why else ''}")
    await scene.gateway.wait(30)
    scene.did("the link is back")
    no_more_than(scene, 3)
    await flat(scene)
