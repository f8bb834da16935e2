"""A stop that follows the gain rests at the broker: it outlives the desk."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import level
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat
from ibkr_trader.drills.scene import Skipped
from ibkr_trader.drills.signals import entered

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("stop-follows-and-stays", incidents=(12,), faults=("E14", "C09"))
async def stop_follows(scene: Scene) -> None:
    """The desk that makes a stop follow the gain is killed."""
    await entered(scene)
    first = scene.gateway.order("stop").stop_price
    await scene.floor.rise(str(scene.base), str(level(scene, Decimal(6))), steps=12)
    for percent in (Decimal("6.1"), Decimal("6.2")):
        await scene.gateway.wait(70, step=5)
        await scene.floor.rise(str(level(scene, percent)), str(level(scene, percent)), steps=1)
    moved = scene.gateway.order("stop").stop_price
    scene.did(f"the market rises by 6 %, and the stop from {first} to {moved}")
    if moved == first:
        raise Skipped("the strategy moves no stop behind a gain")
    await scene.kill()
    await scene.floor.gap(str(level(scene, Decimal(1))))
    scene.did("the market falls back")
    await flat(scene)
    scene.must(scene.evidence.profit > 0, "the gain was not kept")
