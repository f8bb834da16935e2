"""What TWS refuses by its own settings is refused, said, and not tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("precaution-refuses", incidents=(16, 10), faults=("B11",))
async def precaution_refuses(scene: Scene) -> None:
    """A precaution in TWS refuses the orders of the API."""
    await scene.broker.befall("precaution value-limit 100")
    scene.did("TWS is set up to refuse every order worth more than 100")
    why = await scene.trying(begin(ask(scene, bracket(scene), wait=Wait.FILLED)))
    scene.did(f"a bracket is asked for: {why}")
    scene.must("451" in why or "Value Limit" in why, "nobody says which setting of TWS refuses")
    await scene.gateway.wait(30)
    no_more_than(scene, 3)
    await flat(scene)
