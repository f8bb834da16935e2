"""Bringing books together changes no position, and doing it again changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("reconcile-twice", incidents=(6,), faults=("D06", "D01"))
async def reconcile_twice(scene: Scene) -> None:
    """An entry fills with and without a desk, and the books are brought together twice."""
    await resting_bracket(scene)
    part = scene.size * 4 // 10
    await scene.floor.trade("entry", quantity=part)
    await scene.stop()
    await scene.floor.trade("entry")
    scene.did(f"{part} fill with a desk, {scene.size - part} without one")
    for _ in range(2):
        await scene.start()
        await scene.doing(scene.trader.recovery.synchronize())
        await scene.gateway.wait(2)
        believed(scene, scene.size)
        await scene.stop()
    await scene.start()
    await protected(scene, scene.size)
