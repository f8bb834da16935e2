"""Orders and positions of somebody else are counted, and never touched."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import Side
from ibkr_trader.drills.asks import held_bracket, level
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("foreign-order", incidents=(4,), faults=("A17", "C12"))
async def foreign_order(scene: Scene) -> None:
    """A person has an order of their own in the same account."""
    await held_bracket(scene)
    price = level(scene, Decimal(-10))
    await scene.hand.order(Side.BUY, 5, limit=str(price))
    scene.did(f"a person buys 5 at {price} in TWS, which waits")
    await scene.gateway.wait(5)
    for order in await scene.desk.get_open_orders():
        if not order.is_foreign and "target" in order.order_id:
            await scene.trying(scene.desk.cancel_order(order.order_id))
            scene.did("the desk cancels its target")
    await scene.gateway.wait(5)
    strangers = [one for one in scene.ledger.live() if one.client_id == 0]
    scene.must(len(strangers) == 1, "the order of the person is gone")
    await protected(scene, scene.size)
