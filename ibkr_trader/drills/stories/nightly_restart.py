"""A gateway that restarts at night is waited for, and then everything is as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, through_the_stop

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("nightly-restart", incidents=(14, 5), faults=("A08", "A09", "A11", "E10"))
async def nightly_restart(scene: Scene) -> None:
    """The gateway restarts at night while a position is held."""
    await held_bracket(scene)
    restart = datetime(2026, 11, 21, 4, 45, tzinfo=UTC)  # 23:45 in New York
    left = restart - scene.gateway.clock.now()
    await scene.gateway.wait(left.total_seconds(), step=1800)
    await scene.broker.befall("refuse 4m")
    await scene.broker.lose_link()
    scene.did("the gateway restarts: it is gone for four minutes")
    await scene.gateway.wait(230, step=10)
    scene.must(not scene.trader.outlook.is_synced, "the desk believes that it is connected")
    await scene.gateway.wait(400, step=20)
    scene.must(scene.trader.outlook.is_synced, "the desk has not come back by itself")
    scene.did("it is back")
    no_more_than(scene, 3)
    await scene.gateway.wait(58 * 3600, step=3600)
    scene.did("the weekend passes, and the market opens")
    await through_the_stop(scene)
