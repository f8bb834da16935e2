"""After a split nothing is right but the number of shares: a person has to look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, no_more_than

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("shares-split", incidents=(12,), faults=("F09",), naked=timedelta(days=1))
async def shares_split(scene: Scene) -> None:
    """The shares of a position are split."""
    await held_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall(f"split {scene.symbol} 4")
    scene.did("4 shares for 1: the broker cancels every order")
    await scene.gateway.wait(20)
    await scene.broker.lose_link()
    await scene.gateway.wait(20)
    no_more_than(scene, 3)
    believed(scene, scene.held)
    scene.must(scene.held == scene.size * 4, f"{scene.held} are held")
