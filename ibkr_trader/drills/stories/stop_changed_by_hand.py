"""What a person changes in TWS stands, as long as it ends no more than is held."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket, level
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected, stop_stands_at

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("stop-changed-by-hand", incidents=(4,), faults=("C10",))
async def stop_changed_by_hand(scene: Scene) -> None:
    """A person moves the stop in TWS, and makes the target too large."""
    await held_bracket(scene)
    price = level(scene, Decimal(-4))
    await scene.hand.modify("stop", stop_price=price)
    scene.did(f"the stop is moved to {price} by hand in TWS")
    await scene.gateway.wait(10)
    stop_stands_at(scene, price)
    await scene.hand.modify("target", quantity=Decimal(scene.size * 2))
    scene.did(f"the target is made {scene.size * 2} by hand")
    await scene.gateway.wait(3, step=0.25)
    await protected(scene, scene.size)
