"""A note about an order is no end of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway.fault_rules import Fault, Warn, When
from ibkr_trader.sim.gateway.named_faults import TIF_NOTE

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("code-10349", incidents=(3,), faults=("B20",))
async def code_10349(scene: Scene) -> None:
    """TWS notes something about a live order, in the words of an error."""
    code, text = TIF_NOTE
    note = Warn(code=code, text=text)
    scene.gateway.faults.arm(Fault(when=When(names=("placeOrder",), times=0), act=note))
    scene.did("TWS says 10349 about every order, and takes it all the same")
    await begin(ask(scene, bracket(scene), wait=Wait.FILLED))
    scene.did(f"{scene.size} {scene.symbol} bought under a bracket")
    await scene.gateway.wait(30)
    no_more_than(scene, 3)
    await protected(scene, scene.size)
