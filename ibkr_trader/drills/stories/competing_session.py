"""Prices that somebody else has taken open nothing; when they are back, so is the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("competing-session", incidents=(15,), faults=("A18",))
async def competing_session(scene: Scene) -> None:
    """Somebody logs in elsewhere, and takes the prices along."""
    await held_bracket(scene)
    await scene.gateway.wait(3)
    await scene.broker.befall("competing-session")
    scene.did("somebody logs in elsewhere: 10197, and prices stop")
    await scene.gateway.wait(max(30.0, scene.settings.risk.max_quote_age.total_seconds() * 2))
    await another_bracket(scene)
    no_more_than(scene, 1, "entry")
    await scene.broker.befall("lift")
    scene.did("the other one has left")
    await scene.gateway.wait(5)
    why = await another_bracket(scene)
    scene.must(not why, "the desk has not come back by itself")
    await protected(scene, scene.size)
