"""Placing the exits that the broker sends by itself: as planned, verified, or taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import OutcomeUnknown, TraderError
from ibkr_trader.execution.desk import cancel, modify, settle_closed
from ibkr_trader.execution.placing import QUOTE_TIMEOUT, Wait, route, settle
from ibkr_trader.orders.timed_exits import KIND, Held, TimedPlan, plan_timed_exits
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Contract, OrderId
    from ibkr_trader.execution.trader import Trader


class NotTimed(TraderError):
    """The broker will not end the position by itself, and the message says why."""


def plan(trader: Trader, contract: Contract, at: datetime) -> TimedPlan:
    """Return what it takes that the broker ends the position at `at`, as things now stand."""
    portfolio = trader.portfolio
    held = Held(contract, trader.account, quantity_of(portfolio, contract.con_id))
    return plan_timed_exits(
        held,
        portfolio.orders.values(),
        at=at,
        group_id=trader.new_group_id(),
        families=dict(portfolio.groups.items()),
    )


async def place_timed_exits(
    trader: Trader, contract: Contract, at: datetime, *, timeout: float
) -> tuple[OrderId, ...]:
    """See to it that the broker ends the position at `at`, whoever is awake then.

    Doing it again changes only what has to change. Returns the exits that then work.

    Raises:
        NotTimed: If none can be placed, or the broker did not link it to the other exits.
        RiskCheckError: If our checks deny it.
        OrderRejectedError: If the broker refuses it.
        OutcomeUnknown: If no answer came within `timeout` seconds.
    """
    await trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
    first = plan(trader, contract, at)
    if first.cancelled:
        beside = _exits(trader, contract)
        await _take_back(trader, first, timeout=timeout)
        _require_untouched(trader, contract, beside)
        first = plan(trader, contract, at)
    if first.trouble:
        raise NotTimed(f"{label(contract)} has no timed exit: {first.trouble}")
    placed: list[OrderId] = []
    for command in first.commands:
        if isinstance(command, SubmitOrders):
            await route(trader, command)
            await _verify(trader, command, timeout=timeout)
            placed += [spec.order_id for spec in command.orders]
        elif not isinstance(command, CancelOrder):
            await modify(trader, command, timeout=timeout)
    return (*first.kept, *placed)


def _exits(trader: Trader, contract: Contract) -> frozenset[OrderId]:
    """The exits beside the timed ones."""
    return frozenset(
        order.order_id
        for order in trader.portfolio.orders.values()
        if order.spec.contract.con_id == contract.con_id and order.spec.role is not OrderRole.TIMED
    )


def _require_untouched(trader: Trader, contract: Contract, exits: frozenset[OrderId]) -> None:
    """Say so if the broker took linked orders along with the one that was cancelled."""
    lost = sorted(exits - _exits(trader, contract))
    if lost and quantity_of(trader.portfolio, contract.con_id):
        message = f"{', '.join(lost)} of {label(contract)} went with the timed exit: is it covered?"
        raise NotTimed(message, hint="ibkr-trader cover")


async def _take_back(trader: Trader, stale: TimedPlan, *, timeout: float) -> None:
    for command in stale.commands:
        if isinstance(command, CancelOrder):
            await route(trader, command)
    await settle_closed(trader, stale.cancelled, timeout=timeout)


async def _verify(trader: Trader, command: SubmitOrders, *, timeout: float) -> None:
    """Keep a timed exit only if the broker says that it is linked as we asked."""
    (wanted,) = command.orders
    (order,) = await settle(trader, (wanted.order_id,), wait=Wait.ACCEPTED, timeout=timeout)
    if order.status.is_closed or order.spec.oca_group == wanted.oca_group:
        return
    try:
        await cancel(trader, order.order_id, timeout=timeout, origin=KIND)
    except OutcomeUnknown as error:
        message = f"{order.order_id} is not linked to the other exits, and not cancelled"
        raise OutcomeUnknown(message, order_ids=(order.order_id,)) from error
    message = (
        f"{label(wanted.contract)} has no timed exit: the broker did not link {order.order_id} "
        "to the other exits, so it was taken back"
    )
    raise NotTimed(message)
