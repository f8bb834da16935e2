"""A position that is closed by hand must not leave its stop behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import through_the_stop

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("hand-close", incidents=(4, 11), faults=("D09",))
async def hand_close(scene: Scene) -> None:
    """A position is closed by hand in TWS while its stop and its target still work."""
    await held_bracket(scene)
    await scene.hand.close()
    scene.did("the position is closed by hand in TWS")
    await scene.gateway.wait(2, step=0.25)
    await through_the_stop(scene)
