"""A bracket whose stop the broker refuses is no bracket."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ibkr_trader.core.errors import OrderRejectedError
from ibkr_trader.drills.asks import ask, begin, bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import protected
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("bracket-incomplete", incidents=(9,), faults=("E03", "B08"))
async def bracket_incomplete(scene: Scene) -> None:
    """The entry of a bracket fills, and its stop is refused."""
    await scene.broker.refuse("*-stop")
    with suppress(OrderRejectedError):
        await begin(ask(scene, bracket(scene), wait=Wait.FILLED))
    scene.did("a bracket is sent; its entry fills, its stop is refused (201)")
    await scene.gateway.wait(10, step=0.25)
    await protected(scene, scene.held)
