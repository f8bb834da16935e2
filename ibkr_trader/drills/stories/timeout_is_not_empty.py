"""Silence about positions and orders is not the answer that there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.errors import TraderError
from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.sim.gateway.fault_rules import Drop, Fault, When

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("timeout-is-not-empty", incidents=(2,), faults=("A15",))
async def timeout_is_not_empty(scene: Scene) -> None:
    """A desk starts, and TWS never says what is held."""
    await held_bracket(scene)
    await scene.stop()
    names = ("position", "positionEnd", "openOrder", "openOrderEnd", "orderStatus")
    scene.gateway.faults.arm(Fault(when=When(names=names, times=0, answers=True), act=Drop()))
    try:
        await scene.start()
        scene.did("TWS never says what is held, nor what works")
        await another_bracket(scene)
        await scene.stop()
    except TraderError as error:
        scene.did(f"TWS never says what is held, nor what works: {error.message}")
    no_more_than(scene, 1, "entry")
    scene.gateway.faults.lift()
    await scene.start()
    await protected(scene, scene.size)
