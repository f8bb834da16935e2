"""What a plan does about orders that live twice: the second one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import is_twin, short_id
from ibkr_trader.portfolio.fingerprint import in_words
from ibkr_trader.portfolio.plan_steps import PlanStep, StepKind
from ibkr_trader.portfolio.twins import can_end, twins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Order
    from ibkr_trader.orders.cover_scene import Scene
    from ibkr_trader.portfolio.state import PortfolioState


def twin_steps(state: PortfolioState, *, client_id: int) -> Iterator[PlanStep]:
    """Yield the cancel of every order that lives beside one of ours, under its name.

    Of one that only who placed it can cancel, where that is not `client_id`: that it is there.
    """
    for twin in twins(state.orders.values()):
        name = short_id(twin.order_id)
        if not can_end(twin, client_id):
            yield PlanStep(
                id=f"{StepKind.DRIFT}-{name}",
                kind=StepKind.DRIFT,
                symbol=label(twin.spec.contract),
                words=f"drift: {name}  {in_words(twin)}: {_why(twin)}",
                next=f"cancel it in TWS, or as client {twin.client_id}, which placed it",
                orders=(twin.order_id,),
                con_id=twin.spec.contract.con_id,
            )
            continue
        yield PlanStep(
            id=f"{StepKind.CANCEL}-{name}",
            kind=StepKind.CANCEL,
            symbol=label(twin.spec.contract),
            words=f"cancel {name}  {in_words(twin)}: {_why(twin)}; if it is refused, use TWS",
            action=CancelOrder(order_id=twin.order_id, broker_order_id=twin.spec.broker_order_id),
            orders=(twin.order_id,),
            con_id=twin.spec.contract.con_id,
        )


def without_twins(scene: Scene) -> Scene:
    """Return a contract without what a step of its own takes away."""
    kept = tuple(order for order in scene.orders if not is_twin(order.order_id))
    return scene._replace(orders=kept)


def _why(twin: Order) -> str:
    return f"it is {short_id(twin.spec.reference)} a second time, and both would trade"
