"""A signal acts once, however often it comes, after a crash too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.drills.signals import entered, hand_over, with_a_strategy

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("duplicate-signal", incidents=(17,), faults=("H01", "G01"))
async def duplicate_signal(scene: Scene) -> None:
    """The same signal comes three times, the last time after a crash."""
    signal = await entered(scene)
    held = scene.held
    await hand_over(scene, signal)
    scene.did("the same signal comes again")
    await scene.kill()
    await scene.start()
    await with_a_strategy(scene)
    await hand_over(scene, signal)
    scene.did("and once more, to the next desk")
    no_more_than(scene, 1, "entry")
    await protected(scene, held)
