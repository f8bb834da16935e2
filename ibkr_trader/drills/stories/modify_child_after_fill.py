"""The stop of a bracket can be moved once its parent is filled."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected, stop_moved

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("modify-child-after-fill", incidents=(8,), faults=("C05", "C06"))
async def modify_child_after_fill(scene: Scene) -> None:
    """The stop of a filled bracket is moved."""
    await held_bracket(scene)
    await scene.gateway.wait(5)
    await stop_moved(scene, Decimal(-2))
    await protected(scene, scene.size)
