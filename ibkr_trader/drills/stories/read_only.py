"""An API that may only look says so at the first order, and nothing is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("read-only-api", incidents=(16,), faults=("A19",))
async def read_only(scene: Scene) -> None:
    """In TWS the API is set to read-only."""
    await scene.broker.befall("readonly")
    scene.did("in TWS the API is set to read-only")
    why = await scene.trying(begin(ask(scene, bracket(scene), wait=Wait.ACCEPTED)))
    scene.did(f"a bracket is asked for: {why}")
    scene.must("read-only" in why.lower(), "nobody says that the API is read-only")
    await scene.gateway.wait(20)
    no_more_than(scene, 3)
    await flat(scene)
