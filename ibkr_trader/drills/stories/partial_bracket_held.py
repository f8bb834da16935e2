"""An entry that fills in part is protected for that part, and for no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import partly_filled_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import through_the_stop
from ibkr_trader.sim.families import BracketMode

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("partial-bracket-held", incidents=(7,), faults=("E05", "E06"), brackets=BracketMode.HELD)
async def partial_bracket_held(scene: Scene) -> None:
    """An entry fills in part while the broker lets its exits sleep, and the market falls."""
    part = await partly_filled_bracket(scene)
    scene.did("the exits sleep until it is whole")
    scene.must(scene.held == part, f"{scene.held} are held, not {part}")
    await through_the_stop(scene)
