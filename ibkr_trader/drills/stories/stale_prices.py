"""A price that nobody renews opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.sim.gateway.fault_rules import Drop, Fault, When

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("stale-prices", incidents=(15,), faults=("F01",))
async def stale_prices(scene: Scene) -> None:
    """Prices stop coming while the connection stands."""
    await held_bracket(scene)
    names = ("tickPrice", "tickSize", "tickString", "tickGeneric")
    scene.gateway.faults.arm(Fault(when=When(names=names, times=0, answers=True), act=Drop()))
    scene.did("prices stop coming, and nobody says so")
    await scene.gateway.wait(max(30.0, scene.settings.risk.max_quote_age.total_seconds() * 2))
    await another_bracket(scene)
    no_more_than(scene, 1, "entry")
    await protected(scene, scene.size)
