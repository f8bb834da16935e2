"""A size that the broker cuts is the size: the exits follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import through_the_stop

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("size-cut", incidents=(7,), faults=("B19",))
async def size_cut(scene: Scene) -> None:
    """The broker cuts the size of an entry."""
    less = scene.size * 6 // 10
    await scene.broker.befall(f"resize-481 {less} --order entry")
    await resting_bracket(scene)
    scene.did(f"the broker has cut the entry to {less} (481)")
    await scene.gateway.wait(3)
    await scene.floor.trade("entry")
    scene.did("the entry fills")
    await scene.gateway.wait(3, step=0.25)
    scene.must(scene.held == less, f"{scene.held} are held, not {less}")
    await through_the_stop(scene)
