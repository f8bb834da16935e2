"""Orders of the day before are the desk's own after a restart."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected, stop_moved

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("restart-manages-yesterdays-orders", incidents=(5, 21), faults=("E10", "A09"))
async def yesterdays_orders(scene: Scene) -> None:
    """The desk starts again after a weekend, with last week's stop at the broker."""
    await held_bracket(scene)
    await scene.stop()
    await scene.gateway.wait(71 * 3600.0, step=1800)
    scene.did("a weekend passes")
    await scene.start()
    await scene.gateway.wait(5)
    await stop_moved(scene, Decimal(-2))
    await protected(scene, scene.size)
