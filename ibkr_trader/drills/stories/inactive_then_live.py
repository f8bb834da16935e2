"""Inactive may be a hold: the order that comes alive later is the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import first_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("inactive-then-live", incidents=(3, 13), faults=("B18",))
async def inactive_then_live(scene: Scene) -> None:
    """An entry is Inactive, and comes alive later."""
    await scene.broker.befall("inactive-then-live 45 --order entry")
    why = await first_bracket(scene)
    scene.did(f"a bracket is sent; its entry is Inactive for 45 s{f': {why}' if why else ''}")
    await scene.gateway.wait(60)
    no_more_than(scene, 3)
    live = [one for one in scene.ledger.live() if "entry" in one.terms.order_ref]
    if live:
        await scene.floor.trade("entry")
        scene.did("it has come alive, and fills")
    await protected(scene, scene.held)
