"""Exits of an entry that was refused go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import first_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("entry-refused", incidents=(9, 17), faults=("E02", "B08"))
async def entry_refused(scene: Scene) -> None:
    """The broker refuses the entry of a bracket."""
    await scene.broker.refuse("*-entry")
    why = await first_bracket(scene)
    scene.did(f"the broker refuses the entry of a bracket: {why}")
    await scene.gateway.wait(20)
    no_more_than(scene, 3)
    await flat(scene)
