"""A signal acts once, however often it comes, after a crash too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.drills.signals import entered, hand_over, said, with_a_strategy

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("duplicate-signal", incidents=(17,), faults=("H01", "G01"))
async def duplicate_signal(scene: Scene) -> None:
    """The same signal comes three times, the last time after a crash."""
    signal = await entered(scene)
    held = scene.held
    reply = await hand_over(scene, signal)
    scene.did(f"the same signal comes again: {said(reply)}")
    await scene.gateway.wait(2)
    scene.must(scene.held == held, f"{scene.held} are held, not {held}")
    await scene.hand.close()
    scene.did("the position is closed by hand")
    window = scene.settings.risk.duplicate_window.total_seconds()
    await scene.gateway.wait(max(3.0, window + 1))
    await scene.kill()
    await scene.start()
    await with_a_strategy(scene)
    reply = await hand_over(scene, signal)
    scene.did(f"the same signal comes to the next desk: {said(reply)}")
    no_more_than(scene, 1, "entry")
    await flat(scene)
