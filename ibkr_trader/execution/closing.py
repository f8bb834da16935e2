"""Ending a position: runs the steps that `orders/closing.py` derives, until flat or stuck."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.errors import BrokerUnavailable, OutcomeUnknown, TraderError
from ibkr_trader.core.models import ZERO
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.orders.closing import Closing
from ibkr_trader.portfolio.flattening import flatten

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import Order, OrderId, Position
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.closing import ClosingStep
    from ibkr_trader.portfolio.state import PortfolioState


class NotClosed(TraderError):
    """The position is still open, and the message says why."""


async def close_position(
    trader: Trader, position: Position, *, timeout: float
) -> tuple[Order, ...]:
    """End `position` and every order of ours that belongs to it; return those orders.

    Closing what is closed already does nothing. Each step waits for the broker to confirm
    the one before, so that two orders can never close the same shares.

    Raises:
        NotClosed: If it cannot be closed now. With the market closed nothing is touched;
            else the message says whether a stop that was taken away is back.
        OutcomeUnknown: If the broker does not confirm a step within `timeout` seconds.
    """
    con_id = position.contract.con_id
    await trader.study(position.contract, timeout=QUOTE_TIMEOUT)
    _require_market(trader, position)
    closing = Closing(
        group_id=trader.new_group_id(), contract=position.contract, account=trader.account
    )
    touched: dict[OrderId, None] = {}
    try:
        async with asyncio.timeout(timeout):
            while True:
                step = flatten(closing, trader.portfolio)
                closing = step.closing
                touched |= dict.fromkeys(step.waiting_for)
                await _take(trader, step, con_id)
                if step.is_over:
                    break
    except TimeoutError as error:
        live = tuple(o for o in touched if _is_live(trader.portfolio, o))
        message = f"closing {position.contract.symbol} is not confirmed within {timeout:g} s"
        raise OutcomeUnknown(message, order_ids=live) from error
    if step.trouble:
        message = f"{position.contract.symbol} is not closed: {step.trouble}"
        if any(not _is_live(trader.portfolio, order_id) for order_id in _placed(step)):
            message += " (that failed too: the position is UNPROTECTED)"
        raise NotClosed(message, hint="ibkr-trader positions")
    return tuple(o for i in touched if (o := trader.portfolio.order(i)) is not None)


def _require_market(trader: Trader, position: Position) -> None:
    """Leave the exits alone while nothing could take their place: a stop outlives the night."""
    details = trader.outlook.details(position.contract.con_id)
    sessions = details.liquid_sessions if details is not None else ()
    now = trader.clock.now()
    if not sessions or any(session.opens <= now < session.closes for session in sessions):
        return
    coming = [session.opens for session in sessions if session.opens > now]
    until = f"; it opens at {min(coming):%Y-%m-%d %H:%M} UTC" if coming else ""
    message = (
        f"the market of {position.contract.symbol} is closed{until}: its exits stay as they are"
    )
    raise NotClosed(message, hint="ibkr-trader positions")


async def _take(trader: Trader, step: ClosingStep, con_id: int) -> None:
    """Send what the step asks for, and wait until the picture gives a reason for another."""
    held = _held(trader.portfolio, con_id)
    for command in step.commands:
        # A denial or a loss is in the picture now: the next step puts the stop back.
        with contextlib.suppress(BrokerUnavailable):
            await trader.router.route(command)
    live = {order_id for order_id in step.waiting_for if _is_live(trader.portfolio, order_id)}

    def has_moved(portfolio: PortfolioState) -> bool | None:
        is_ended = any(not _is_live(portfolio, order_id) for order_id in live)
        return True if is_ended or _held(portfolio, con_id) != held else None

    if not step.is_over and live and len(live) == len(step.waiting_for):
        await trader.until(has_moved, timeout=None)


def _placed(step: ClosingStep) -> tuple[OrderId, ...]:
    """The orders that the step wanted placed: the stop that goes back."""
    submits = (c for c in step.commands if isinstance(c, SubmitOrders))
    return tuple(spec.order_id for submit in submits for spec in submit.orders)


def _held(portfolio: PortfolioState, con_id: int) -> Decimal:
    position = portfolio.positions.get(con_id)
    return position.quantity if position is not None else ZERO


def _is_live(portfolio: PortfolioState, order_id: OrderId) -> bool:
    order = portfolio.order(order_id)
    return order is not None and not order.status.is_closed
