"""A stop that the broker takes away is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("stop-cancelled-by-broker", incidents=(9, 11), faults=("C11",))
async def stop_cancelled_by_broker(scene: Scene) -> None:
    """The broker cancels the stop of a position of itself."""
    await held_bracket(scene)
    await scene.broker.cancel("stop")
    scene.did("the broker cancels the stop of itself")
    await scene.gateway.wait(5, step=0.25)
    await protected(scene, scene.size)
