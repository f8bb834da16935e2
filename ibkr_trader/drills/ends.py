"""How stories end: flat, protected, or with nothing opened; judged by the exchange's books.

By what they hold of the story's own symbol: a strategy of the user's may trade others beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.drills.asks import STOP, level
from ibkr_trader.drills.judges import stopped
from ibkr_trader.sim.gateway.order_requests import PlaceOrder

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.drills.scene import Scene
    from ibkr_trader.sim.gateway.wire import WireEntry

_REST = 3.0  # seconds in which everything comes to rest


def no_more_than(scene: Scene, most: int, role: str = "") -> None:
    """Judge that no more orders than these have gone out, of one role or in all."""
    sent = scene.gateway.wire.sent("placeOrder")
    ours = [one for one in sent if f"-{role}" in one.order_ref and _is_here(scene, one)]
    kind = f"{role} " if role else ""
    scene.must(len(ours) <= most, f"{len(ours)} {kind}orders went out for {most}")


def believed(scene: Scene, quantity: int) -> None:
    """Judge that the desk believes in so many shares."""
    position = scene.trader.portfolio.positions.get(scene.con_id)
    ours = position.quantity if position is not None else 0
    scene.must(ours == quantity, f"the desk believes in {ours}, not in {quantity}")


def stop_stands_at(scene: Scene, price: Decimal) -> None:
    """Judge that the stop stands there at the exchange."""
    at_exchange = scene.gateway.order("stop").stop_price
    scene.must(at_exchange == price, f"the exchange has the stop at {at_exchange}, not at {price}")


async def stop_moved(scene: Scene, percent: Decimal) -> None:
    """Have the desk move the stop so many percent from where the market began: it must be there."""
    stop, price = scene.gateway.order("stop").terms.order_ref, level(scene, percent)
    await scene.doing(scene.desk.modify_order(stop, stop_price=price))
    scene.did(f"the stop is moved to {price}")
    stop_stands_at(scene, price)


async def flat(scene: Scene) -> None:
    """Let it come to rest: nothing may be held, and no order of the desk may work."""
    await scene.gateway.wait(_REST)
    here = scene.ledger.live(scene.con_id)
    left = [one.terms.order_ref for one in here if one.terms.order_ref]
    scene.must(scene.held == 0, f"{scene.held} {scene.symbol} are left")
    scene.must(not left, f"orders still work: {', '.join(left)}")


async def protected(scene: Scene, quantity: int) -> None:
    """Let it come to rest: so many must be held, and a stop must cover exactly those."""
    await scene.gateway.wait(_REST)
    scene.must(scene.held == quantity, f"{scene.held} {scene.symbol} are held, not {quantity}")
    covered = stopped(scene.ledger, scene.con_id)
    scene.must(covered == abs(scene.held), f"stops of {covered} for {scene.held} held")


async def through_the_stop(scene: Scene) -> None:
    """Let the market fall through the stop: all must end there, and nothing may turn round."""
    await scene.floor.gap(str(level(scene, STOP - 2)))
    scene.did(f"the market falls to {level(scene, STOP - 2)}, through the stop")
    await flat(scene)


def _is_here(scene: Scene, entry: WireEntry) -> bool:
    sent = entry.message
    return isinstance(sent, PlaceOrder) and sent.order.contract.con_id == scene.con_id
