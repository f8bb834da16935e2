"""What is told twice, late, or in another order counts once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway.fault_rules import Fault, Repeat, When

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("callbacks-twice", incidents=(6, 17), faults=("B04", "D01", "D04"))
async def callbacks_twice(scene: Scene) -> None:
    """TWS repeats every word about orders and executions."""
    names = ("openOrder", "orderStatus", "execDetails", "commissionReport")
    again = Fault(when=When(names=names, times=0), act=Repeat(seconds=4))
    scene.gateway.faults.arm(again)
    scene.did("TWS tells everything a second time, four seconds later")
    await begin(ask(scene, bracket(scene), wait=Wait.FILLED))
    scene.did(f"{scene.size} {scene.symbol} bought under a bracket")
    await scene.gateway.wait(10)
    await protected(scene, scene.size)
