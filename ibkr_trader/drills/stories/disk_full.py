"""What cannot be written down is not opened; what ends a risk goes out all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import another_bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import flat, no_more_than
from ibkr_trader.drills.full_disk import full_disk
from ibkr_trader.execution.closing import close_contract

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("disk-full", faults=("G04",), naked=timedelta(seconds=10))
async def disk_full(scene: Scene) -> None:
    """The disk is full."""
    await held_bracket(scene)
    contract = next(iter(scene.trader.portfolio.positions.values())).contract
    await scene.gateway.wait(2)
    with full_disk():
        scene.did("the disk is full")
        await another_bracket(scene)
        no_more_than(scene, 1, "entry")
        why = await scene.trying(close_contract(scene.trader, contract, timeout=30))
        scene.did(f"the position is to be closed: {why or 'it is'}")
    await scene.kill()
    await scene.start()
    await flat(scene)
