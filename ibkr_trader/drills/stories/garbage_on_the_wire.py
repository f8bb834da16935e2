"""What cannot be read is lost knowledge: everything is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import believed, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("garbage-on-the-wire", incidents=(15,), faults=("A14",))
async def garbage_on_the_wire(scene: Scene) -> None:
    """The message that tells of a fill is cut off in its middle."""
    await resting_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("half-frame 20 execDetails")
    scene.did("the next execution will be cut off in its middle")
    await scene.floor.trade("entry")
    scene.did("the entry fills")
    await scene.gateway.wait(20)
    believed(scene, scene.held)
    await protected(scene, scene.size)
