"""A price between two ticks is rounded before it is sent, and a stop never away from the market."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import Side, TimeInForce
from ibkr_trader.drills.asks import STOP, TARGET, ask, begin, level, single
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected, stop_stands_at
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.bracket_orders import BracketOrderRequest

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("tick-110", incidents=(19,), faults=("B09",))
async def tick_110(scene: Scene) -> None:
    """A bracket is asked for at prices between two ticks."""
    odd = Decimal("0.0037")
    stop = single(scene, Side.SELL, stop=STOP)
    target = single(scene, Side.SELL, limit=TARGET)
    request = BracketOrderRequest(
        parent=single(scene),
        stop_loss=msgspec.structs.replace(stop, stop_price=level(scene, STOP) + odd),
        take_profit=msgspec.structs.replace(target, limit_price=level(scene, TARGET) + odd),
        exit_time_in_force=TimeInForce.GTC,
    )
    await begin(ask(scene, request, wait=Wait.FILLED))
    scene.did(f"a bracket is asked for with its stop at {request.stop_loss.stop_price}")
    at_exchange = scene.gateway.order("stop").stop_price
    scene.did(f"at the exchange it is at {at_exchange}")
    nearest = level(scene, STOP) + Decimal("0.01")
    stop_stands_at(scene, nearest)
    refused = [one for one in scene.gateway.wire.told("error") if "110" in str(one.message)]
    scene.must(not refused, "TWS refused a price (110)")
    await protected(scene, scene.size)
