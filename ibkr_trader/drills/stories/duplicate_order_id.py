"""103 says that the number is taken, not that the order is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import REST, ask, bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.gateway import fault_rules as rules

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("duplicate-order-id", incidents=(18,), faults=("B12",))
async def duplicate_order_id(scene: Scene) -> None:
    """TWS says that an order id is taken."""
    await held_bracket(scene)
    scene.gateway.faults.arm(*rules.reject(103, "Duplicate order id"))
    await scene.gateway.wait(2)
    why = await scene.trying(ask(scene, bracket(scene, limit=REST), wait=Wait.ACCEPTED))
    scene.did(f"TWS answers the next order with 103: {why or 'nothing is said'}")
    await scene.gateway.wait(30)
    no_more_than(scene, 2, "entry")
    await protected(scene, scene.size)
