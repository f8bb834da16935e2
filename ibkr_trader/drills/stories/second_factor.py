"""Hours without a gateway cost no protection, and nothing but time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("2fa-sunday", incidents=(14,), faults=("A08", "A11"))
async def second_factor(scene: Scene) -> None:
    """The gateway waits for a second factor all of a Sunday."""
    await held_bracket(scene)
    night = datetime(2026, 11, 22, 6, tzinfo=UTC)  # Sunday, 01:00 in New York
    left = night - scene.gateway.clock.now()
    await scene.gateway.wait(left.total_seconds(), step=3600)
    await scene.broker.befall("refuse 11h")
    await scene.broker.lose_link()
    scene.did("the gateway wants a second factor, and nobody is there for eleven hours")
    await scene.gateway.wait(11 * 3600, step=600)
    scene.did("somebody taps")
    await scene.gateway.wait(900, step=20)
    scene.must(scene.trader.outlook.is_synced, "the desk has not come back by itself")
    no_more_than(scene, 3)
    await protected(scene, scene.size)
