"""What filled before its cancel arrived is held, and has its stop."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import resting_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected
from ibkr_trader.sim.gateway import fault_rules as rules

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("cancel-fill-race", incidents=(13, 7), faults=("C01",))
async def cancel_fill_race(scene: Scene) -> None:
    """An entry fills in part in the moment in which it is cancelled."""
    await resting_bracket(scene)
    part = scene.size * 4 // 10
    scene.gateway.faults.arm(*rules.fill_wins_cancel(Decimal(part)))
    entry = scene.gateway.order("entry").terms.order_ref
    why = await scene.trying(scene.desk.cancel_order(entry))
    scene.did(f"the entry is cancelled; {part} fill first{f': {why}' if why else ''}")
    await scene.gateway.wait(5, step=0.25)
    await protected(scene, part)
