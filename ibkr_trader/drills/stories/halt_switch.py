"""A halt takes back what would open, keeps what protects, and outlives the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.drills.asks import REST, another_bracket, ask, begin, bracket, held_bracket
from ibkr_trader.drills.drill import drill
from ibkr_trader.drills.ends import no_more_than, protected
from ibkr_trader.execution.placing import Wait

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


@drill("halt-switch", incidents=(20,), faults=("H07", "C12"))
async def halt_switch(scene: Scene) -> None:
    """Somebody halts the desk while an entry works and a position is held."""
    await held_bracket(scene)
    await scene.gateway.wait(2)
    await begin(ask(scene, bracket(scene, limit=REST), wait=Wait.ACCEPTED))
    scene.did("another bracket waits below the market")
    HaltFile(scene.settings.place.kill_flag).put("a drill", origin="drill")
    scene.did("the file HALT appears")
    await scene.gateway.wait(5, step=0.25)
    opens = [one.terms.order_ref for one in scene.ledger.live() if "entry" in one.terms.order_ref]
    scene.must(not opens, f"{', '.join(opens)} can still open something")
    await scene.kill()
    await scene.start()
    await another_bracket(scene)
    no_more_than(scene, 2, "entry")
    await protected(scene, scene.size)
