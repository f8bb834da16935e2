"""Prices of a quarter of an hour ago open nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("delayed-data", incidents=(15,), faults=("F02",))
async def delayed_data(scene: Scene) -> None:
    """Live prices end, and delayed ones come in their place."""
    await held_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("delayed-data")
    scene.did("live prices end; delayed ones come in their place (10167)")
    await scene.gateway.wait(10)
    await another_bracket(scene)
    most = 2 if scene.settings.risk.allow_delayed_quotes else 1
    no_more_than(scene, most, "entry")
    await protected(scene, scene.size)
