"""A stop that never arrived is missed, though nobody has refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import first_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, protected
from ibkr_trader.sim.gateway import fault_rules as rules

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("stop-swallowed", incidents=(9,), faults=("B01", "E03"))
async def stop_swallowed(scene: Scene) -> None:
    """The stop of a bracket is swallowed: neither taken nor refused."""
    scene.gateway.faults.arm(*rules.swallow(order="stop"))
    await first_bracket(scene)
    scene.did("a bracket is sent; the gateway swallows its stop")
    await scene.gateway.wait(60)
    live = [one.terms.order_ref for one in scene.ledger.live()]
    scene.did(f"at the exchange work: {', '.join(live) or 'none of them'}")
    opens = [ref for ref in live if "entry" in ref]
    scene.must(not opens or any("stop" in ref for ref in live), "the entry waits without a stop")
    await scene.broker.lose_link()
    scene.did("the link is lost, and comes back: now it is known what never arrived")
    await scene.gateway.wait(30)
    await (protected(scene, scene.held) if live else flat(scene))
