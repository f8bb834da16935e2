"""An answer that comes late belongs to the order that was sent, and to no second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import first_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.sim.gateway.fault_rules import STATUSES, Delay, Fault, When

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("late-answer", incidents=(13, 17), faults=("B02",))
async def late_answer(scene: Scene) -> None:
    """An order is acknowledged long after everybody has stopped waiting."""
    late = When(names=STATUSES, times=0)
    scene.gateway.faults.arm(Fault(when=late, act=Delay(seconds=45)))
    await first_bracket(scene)
    scene.did("a bracket is sent; TWS says nothing of it for 45 s")
    await scene.gateway.wait(60)
    live = [one for one in scene.ledger.live() if "entry" in one.terms.order_ref]
    if live:
        await scene.floor.trade("entry")
        scene.did("it is there after all, and fills")
        await protected(scene, scene.size)
    no_more_than(scene, 1, "entry")
