"""An order id that TWS offers a second time is not used a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("ids-go-back", incidents=(18,), faults=("A21", "B12"))
async def ids_go_back(scene: Scene) -> None:
    """TWS offers order ids that are in use."""
    await held_bracket(scene)
    await scene.stop()
    await scene.broker.befall("next-valid-id lower --times 0")
    scene.did("TWS counts its order ids from the beginning again")
    await scene.start()
    await scene.gateway.wait(3)
    why = await another_bracket(scene)
    scene.must(not why, "the order was not taken")
    no_more_than(scene, 2, "entry")
    ids = [one.order_id for one in scene.ledger.live() if one.terms.order_ref]
    scene.must(len(ids) == len(set(ids)), "two orders have one number")
    await protected(scene, scene.size)
