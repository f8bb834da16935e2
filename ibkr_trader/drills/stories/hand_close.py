"""A position that is closed by hand must not leave its stop behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket, level
from ibkr_trader.drills.drill import drill

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("hand-close", incidents=(4, 11), faults=("D09",))
async def hand_close(scene: Scene) -> None:
    """A position is closed by hand in TWS while its stop and its target still work."""
    await held_bracket(scene)
    await scene.hand.close()
    scene.did("the position is closed by hand in TWS")
    await scene.gateway.wait(2, step=0.25)
    await scene.floor.gap(str(level(scene, -5)))
    scene.did("the market falls through where the stop was")
    await scene.gateway.wait(3)
    scene.must(scene.held == 0, f"the stop left behind has opened a position of {scene.held}")
