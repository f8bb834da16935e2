"""The loss limit ends all opening, until a person resumes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.drills.scene import Skipped

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("loss-limit-stops", incidents=(20,), faults=("H09",))
async def loss_limit_stops(scene: Scene) -> None:
    """A position loses more than the day's limit."""
    await held_bracket(scene)
    limit = scene.settings.risk.max_daily_loss
    price = round(scene.base - limit * Decimal("1.05") / scene.size, 2)
    if price < scene.base / 10:
        raise Skipped(f"a position of {scene.size} cannot lose the daily limit of {limit}")
    await scene.floor.gap(str(price))
    scene.did(f"the market falls to {price}: more is lost than the limit of {limit}")
    rest = scene.settings.risk.stop_out_cooldown + timedelta(minutes=1)
    await scene.gateway.wait(rest.total_seconds(), step=20)
    scene.base = price
    for _ in range(2):
        why = await another_bracket(scene)
        scene.must(why, f"after a loss of {limit} the desk still opens")
        await scene.stop()
        await scene.start()
    no_more_than(scene, 1, "entry")
    await flat(scene)
