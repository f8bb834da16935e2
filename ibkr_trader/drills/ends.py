"""How stories end: flat, protected, or with nothing opened; judged by the exchange's books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import STOP, level
from ibkr_trader.drills.judges import stopped

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene

_REST = 3.0  # seconds in which everything comes to rest


def no_more_than(scene: Scene, most: int, role: str = "") -> None:
    """Judge that no more orders than these have gone out, of one role or in all."""
    ours = [one for one in scene.gateway.wire.sent("placeOrder") if f"-{role}" in one.order_ref]
    kind = f"{role} " if role else ""
    scene.must(len(ours) <= most, f"{len(ours)} {kind}orders went out for {most}")


async def flat(scene: Scene) -> None:
    """Let it come to rest: nothing may be held, and no order of the desk may work."""
    await scene.gateway.wait(_REST)
    left = [one.terms.order_ref for one in scene.ledger.live() if one.terms.order_ref]
    scene.must(scene.held == 0, f"{scene.held} {scene.symbol} are left")
    scene.must(not left, f"orders still work: {', '.join(left)}")


async def protected(scene: Scene, quantity: int) -> None:
    """Let it come to rest: so many must be held, and a stop must cover exactly those."""
    await scene.gateway.wait(_REST)
    scene.must(scene.held == quantity, f"{scene.held} {scene.symbol} are held, not {quantity}")
    covered = stopped(scene.ledger, scene.con_id)
    scene.must(covered == abs(scene.held), f"stops of {covered} for {scene.held} held")


async def through_the_stop(scene: Scene) -> None:
    """Let the market fall through the stop: all must end there, and nothing may turn round."""
    await scene.floor.gap(str(level(scene, STOP - 2)))
    scene.did(f"the market falls to {level(scene, STOP - 2)}, through the stop")
    await flat(scene)
