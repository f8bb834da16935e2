"""A stop at the broker ends a position though the market leaps over it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket, level
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("gap-through-stop", incidents=(12,), faults=("E13",))
async def gap_through_stop(scene: Scene) -> None:
    """The market leaps over a stop."""
    await held_bracket(scene)
    await scene.floor.gap(str(level(scene, Decimal(-20))))
    scene.did("the market leaps down by 20 %")
    await flat(scene)
