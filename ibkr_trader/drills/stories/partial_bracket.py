"""An entry that fills in part is protected for that part, and for no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import partly_filled_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import through_the_stop
from ibkr_trader.sim.families import BracketMode

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("partial-bracket", incidents=(7,), faults=("E05", "E06"), brackets=BracketMode.FULL_SIZE)
async def partial_bracket(scene: Scene) -> None:
    """An entry fills in part, its exits stand at full size, its rest goes, and the stop fires."""
    part = await partly_filled_bracket(scene)
    scene.did("the exits stand at full size")
    if not scene.gateway.order("entry").status.is_closed:
        await scene.broker.cancel("entry")
        scene.did("the broker takes its rest away")
    await scene.gateway.wait(3, step=0.25)
    scene.must(scene.held == part, f"{scene.held} are held, not {part}")
    await through_the_stop(scene)
