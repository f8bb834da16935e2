"""While trading is halted nothing is sent again and again, and the stop stays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than, protected
from ibkr_trader.execution.closing import close_contract

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("halted-market", incidents=(13,), faults=("F08",), naked=timedelta(seconds=60))
async def halted_market(scene: Scene) -> None:
    """Trading is halted while a position is held, and somebody wants to close it."""
    await held_bracket(scene)
    await scene.floor.halt()
    scene.did("trading is halted")
    await scene.gateway.wait(2)
    contract = next(iter(scene.trader.portfolio.positions.values())).contract
    why = await scene.trying(close_contract(scene.trader, contract, timeout=20))
    scene.did(f"a close is asked for: {why or 'it is on its way'}")
    await scene.gateway.wait(30)
    no_more_than(scene, 1, "close")
    await scene.floor.halt(on=False)
    scene.did("trading goes on")
    await scene.gateway.wait(30)
    scene.must(scene.held in {0, scene.size}, f"{scene.held} are held")
    await (flat(scene) if scene.held == 0 else protected(scene, scene.size))
