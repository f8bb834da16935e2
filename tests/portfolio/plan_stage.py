"""Accounts that are not as they are meant, and the plan that says so."""

from __future__ import annotations

from typing import Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.orders.cover_orders import CoverRules, Market, Policy
from ibkr_trader.orders.cover_scene import Known, Terms
from ibkr_trader.portfolio.plan_steps import Plan, PlanStep, StepKind
from ibkr_trader.portfolio.planning import Sight, make_plan
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AT, accepted, bracket_specs, fill, filled, later, written

ENTRY, TARGET, STOP = bracket_specs()
CLIENT = 7  # as `accepted` says of orders
ATTACH = CoverRules(policy=Policy.ATTACH)


def sold(quantity: int, *, key: str = "hand", order_id: str = "foreign-1") -> ev.FillEvent:
    return filled(fill(quantity, key=key, side=Side.SELL, order_id=order_id, at=later(5)))


def bracket(*more: ev.BaseEvent, without: tuple[str, ...] = ()) -> PortfolioState:
    """Return an account with ten AAPL bought by a bracket, and what has happened since."""
    exits = [one for one in (TARGET, STOP) if one.role.value not in without]
    sync = ev.SyncEvent(at=AT, epoch=1)
    bought = filled(fill(order_id=ENTRY.order_id))
    events = [sync, *(written(one, kind="bracket") for one in (ENTRY, *exits))]
    events += [accepted(one) for one in (ENTRY, *exits)]
    return fold([*events, bought, *more])


def plan(
    state: PortfolioState,
    *,
    rules: CoverRules = CoverRules(),  # noqa: B008 - a frozen value
    markets: dict[int, Market] | None = None,
    **known: Any,
) -> Plan:
    """Return what is to be done about an account."""
    misled = known.pop("misled", ())
    terms = Terms(rules, Known(**known), later(60))
    return make_plan(state, Sight(terms, markets or {}, misled, CLIENT))


def only(found: Plan) -> PlanStep:
    (step,) = found.steps
    return step


def kinds(found: Plan) -> list[StepKind]:
    return [step.kind for step in found.steps]
