"""What differs between the broker and what is meant, as a plan: one value, nothing is touched.

The picture is the broker's already (`reconciliation.py` brings it there); a plan says what in
it is not as it should be. Each decision has a file of its own: `plan_cover.py`,
`plan_doubts.py`, `plan_strangers.py`, `plan_twins.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.portfolio.plan_cover import cover_steps
from ibkr_trader.portfolio.plan_doubts import closing_steps, drift_steps, unknown_steps
from ibkr_trader.portfolio.plan_steps import Plan, PlanStep
from ibkr_trader.portfolio.plan_strangers import stranger_steps
from ibkr_trader.portfolio.plan_twins import twin_steps, without_twins
from ibkr_trader.portfolio.protection import scenes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibkr_trader.core.models import GroupId
    from ibkr_trader.orders.cover_orders import Market
    from ibkr_trader.orders.cover_scene import Terms
    from ibkr_trader.portfolio.state import PortfolioState


class Sight(NamedTuple):
    """What a plan is made from, beside the account.

    Attributes:
        terms: How positions are to be protected, what is known of orders, and the time.
        markets: The markets that are open and fresh, by con_id.
        misled: The open groups of positions that the broker has restated.
        client_id: Ours at the gateway.
    """

    terms: Terms
    markets: Mapping[int, Market]
    misled: tuple[GroupId, ...]
    client_id: int


def make_plan(state: PortfolioState, sight: Sight) -> Plan:
    """Return what is not as it is meant, by symbol; what belongs to none comes first."""
    steps: list[PlanStep] = [
        *drift_steps(state, sight.misled),
        *closing_steps(state),
        *unknown_steps(state),
        *twin_steps(state, client_id=sight.client_id),
    ]
    for scene in scenes(state, sight.markets):
        steps += cover_steps(without_twins(scene), sight.terms)
    steps += stranger_steps(state, client_id=sight.client_id)
    ordered = sorted(steps, key=lambda step: step.symbol)  # stable: each symbol's as they came
    return Plan(steps=tuple(ordered), fine=_fine(state, ordered))


def _fine(state: PortfolioState, steps: list[PlanStep]) -> int:
    """How many positions, and orders of ours, no step speaks of."""
    orders = {order_id for step in steps for order_id in step.orders}
    positions = {step.con_id for step in steps}
    ours = (one.order_id for one in state.orders.values() if not one.is_foreign)
    return sum(order_id not in orders for order_id in ours) + sum(
        con_id not in positions for con_id in state.positions
    )
