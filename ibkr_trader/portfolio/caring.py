"""Which positions a person has handed to the desk, or taken from it, for as long as they are held.

An adopted position counts as opened here: coverage, scale-ins and the end of the day look after
it. A released one is left alone with its orders: nothing is placed, moved, resized or taken away
there but by a person's own command. Either ends with the position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import Command, SubmitOrders
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import Care, OrderRole, OrderStatus
from ibkr_trader.core.models import ZERO
from ibkr_trader.portfolio.ledger_fold import subject_of

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core import events as ev
    from ibkr_trader.core.models import Contract, GroupId, Order
    from ibkr_trader.portfolio.state import PortfolioState


def cared(state: PortfolioState, event: ev.CareEvent) -> PortfolioState:
    """Return `state` after a person has said what is to become of a position."""
    return msgspec.structs.replace(state, cares={**state.cares, event.contract.con_id: event})


def while_held(state: PortfolioState) -> PortfolioState:
    """Return `state` without what was said of positions that are flat now, or turned round."""
    kept = {con_id: one for con_id, one in state.cares.items() if _is_held(state, con_id, one.held)}
    if len(kept) == len(state.cares):
        return state
    return msgspec.structs.replace(state, cares=kept)


def is_released(state: PortfolioState, con_id: int) -> bool:
    """Whether what is held of a contract is to be left alone."""
    said = state.cares.get(con_id)
    return said is not None and said.care is Care.RELEASED


def adopted(state: PortfolioState, con_id: int) -> ev.CareEvent | None:
    """Return when, and how much of, what is held of a contract was adopted; None if it was not."""
    said = state.cares.get(con_id)
    return said if said is not None and said.care is Care.ADOPTED else None


def leave_it(state: PortfolioState, contract: Contract) -> str:
    """Return why nothing is to be done by itself in a contract; empty if nothing stands against."""
    if not is_released(state, contract.con_id):
        return ""
    return (
        f"{label(contract)} was released: the desk leaves it alone until "
        f"ibkr-trader adopt {ticker(contract)}"
    )


def is_left_alone(state: PortfolioState, command: Command) -> bool:
    """Whether what a command is about is to be left alone."""
    if not state.cares:
        return False
    if isinstance(command, SubmitOrders):
        return any(is_released(state, spec.contract.con_id) for spec in command.orders)
    order = state.order(command.order_id)
    return order is not None and is_released(state, order.spec.contract.con_id)


def is_taken_over(state: PortfolioState, group_id: GroupId) -> bool:
    """Whether a person has adopted the position that a group belongs to."""
    orders = (state.order(order_id) for order_id in state.groups.get(group_id, ()))
    con_ids = {order.spec.contract.con_id for order in orders if order is not None}
    return any(adopted(state, con_id) is not None for con_id in con_ids)


def is_about(state: PortfolioState, group_id: GroupId, subject: str) -> bool:
    """Whether a group has an order in the contract that `subject` names, as drift names it."""
    orders = (state.order(order_id) for order_id in state.groups.get(group_id, ()))
    return any(subject_of(one.spec.contract) == subject for one in orders if one is not None)


def additions(state: PortfolioState, group_id: GroupId) -> tuple[Order, ...]:
    """Return the entries beyond a group's first that work, and that nobody takes back yet."""
    ids = state.groups.get(group_id, ())
    entries = [
        order
        for order_id in ids
        if (order := state.order(order_id)) is not None and order.spec.role is OrderRole.ENTRY
    ]
    entries.sort(key=lambda order: order.spec.broker_order_id)
    return tuple(
        order
        for order in entries[1:]
        if not order.status.is_closed and order.status is not OrderStatus.PENDING_CANCEL
    )


def is_past(state: PortfolioState, group_id: GroupId) -> bool:
    """Whether nothing is left of a group: its orders have ended, and where they were it is flat.

    A group adds up its own executions. Where what it holds went without one that was told, it
    would wait for ever.
    """
    ids = state.groups.get(group_id, ())
    orders = [order for order_id in ids if (order := state.order(order_id)) is not None]
    contracts = {order.spec.contract for order in orders}
    return (
        bool(orders)
        and all(order.status.is_closed for order in orders)
        and not any(contract.con_id in state.positions for contract in contracts)
        and not any(subject_of(contract) in state.drift for contract in contracts)
    )


def _is_held(state: PortfolioState, con_id: int, said: Decimal) -> bool:
    position = state.positions.get(con_id)
    return position is not None and position.quantity * said > ZERO
