"""What is in the account and not of this desk's making: told, and never moved by a plan.

Orders of a lost journal of ours can be taken over; nothing is sent for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.text import quantity
from ibkr_trader.portfolio.caring import is_released
from ibkr_trader.portfolio.contexts import context
from ibkr_trader.portfolio.fingerprint import in_words
from ibkr_trader.portfolio.lost_orders import is_of_lost_journal, unproven, why_not
from ibkr_trader.portfolio.plan_steps import PlanStep, StepKind, TakeOver
from ibkr_trader.portfolio.protection import opened_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.events import CareEvent
    from ibkr_trader.core.models import Order, Position
    from ibkr_trader.portfolio.state import PortfolioState


def stranger_steps(state: PortfolioState, *, client_id: int) -> Iterator[PlanStep]:
    """Yield orders and positions that this desk has not made.

    Args:
        state: The account.
        client_id: Ours at the gateway: an order of ours that no journal knows carries it.
    """
    for order in state.orders.values():
        if order.is_foreign:
            is_lost = is_of_lost_journal(order, client_id=client_id)
            yield _lost(state, order) if is_lost else _foreign(order)
    for position in state.positions.values():
        con_id = position.contract.con_id
        if is_released(state, con_id):
            yield _released(position, state.cares[con_id])
        if con_id in state.cares:
            continue
        here = context(state, con_id)
        is_looked_after = here is not None and (here.exits or here.entries)
        if not is_looked_after and not opened_here(state, position):
            yield _elsewhere(position)


def _lost(state: PortfolioState, order: Order) -> PlanStep:
    what = f"order of a lost journal {order.spec.reference}  {in_words(order)}"
    obstacle = why_not(state, order)
    if obstacle:
        what = f"{what}: {obstacle}, so it cannot be taken over"
    else:
        what = "; ".join((f"take over {what}, as it stands", *unproven(state, order)))
    return PlanStep(
        id=f"{StepKind.LOST}-{order.order_id}",
        kind=StepKind.LOST,
        symbol=label(order.spec.contract),
        words=what,
        action=None if obstacle else TakeOver(order_id=order.order_id, perm_id=order.perm_id),
        next="use TWS to change or cancel it" if obstacle else "",
        orders=(order.order_id,),
    )


def _foreign(order: Order) -> PlanStep:
    whose = f"client {order.client_id}" if order.client_id else "TWS"
    return PlanStep(
        id=f"{StepKind.FOREIGN}-{order.order_id}",
        kind=StepKind.FOREIGN,
        symbol=label(order.spec.contract),
        words=f"foreign order {order.order_id}  {in_words(order)}, of {whose}",
        orders=(order.order_id,),
    )


def _released(position: Position, said: CareEvent) -> PlanStep:
    symbol = label(position.contract)
    return PlanStep(
        id=f"{StepKind.RELEASED}-{symbol}",
        kind=StepKind.RELEASED,
        symbol=symbol,
        words=f"released {said.at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{quantity(position.quantity, signed=True)} and its orders are left alone",
        next=f"ibkr-trader adopt {ticker(position.contract)}",
        con_id=position.contract.con_id,
    )


def _elsewhere(position: Position) -> PlanStep:
    symbol = label(position.contract)
    return PlanStep(
        id=f"{StepKind.FOREIGN}-{symbol}",
        kind=StepKind.FOREIGN,
        symbol=symbol,
        words=f"foreign position {quantity(position.quantity, signed=True)}: not opened here, "
        "as far as is known",
        next=f"ibkr-trader adopt {ticker(position.contract)} --stop 3%",
        con_id=position.contract.con_id,
    )
