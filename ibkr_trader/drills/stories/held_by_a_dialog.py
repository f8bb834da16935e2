"""An order that waits behind a dialog of TWS may still go out: it is not sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import first_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("held-by-a-dialog", incidents=(16, 13), faults=("B11",))
async def held_by_a_dialog(scene: Scene) -> None:
    """TWS holds an order behind a dialog that nobody sees."""
    await scene.broker.befall("precaution-hold 90")
    scene.did("TWS shows a dialog for the next order, which waits behind it for 90 s")
    why = await first_bracket(scene)
    scene.did(f"a bracket is asked for: {why or 'it is sent'}")
    await scene.gateway.wait(120)
    live = [one.terms.order_ref for one in scene.ledger.live() if one.terms.order_ref]
    scene.did(f"somebody has clicked; at the exchange work: {', '.join(live) or 'none of them'}")
    no_more_than(scene, 3)
    await scene.broker.lose_link()
    await scene.gateway.wait(30)
    if any("entry" in ref for ref in live):
        await scene.floor.trade("entry")
        scene.did("the entry fills")
    await protected(scene, scene.held)
