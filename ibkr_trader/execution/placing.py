"""From a request to a verified order: prepare, route, and wait until the broker has spoken.

Used by the library's desk and by the commands alike, so both mean the same by "done".
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import OrderRole, OrderStatus, SecType, Side
from ibkr_trader.core.errors import (
    BrokerUnavailable,
    OrderRejectedError,
    OutcomeUnknown,
    RiskCheckError,
    TraderError,
)
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO, OrderRequest
from ibkr_trader.execution.consent import agreed
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.single_orders import Single
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.verdict import Denied, in_one_line

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command, ModifyOrder, SubmitOrders
    from ibkr_trader.core.models import ContractDetails, Order, OrderId, Quote
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.group import GroupRequest, OrderGroup
    from ibkr_trader.portfolio.state import PortfolioState

SETTLE_TIMEOUT = 8.0  # seconds; proof of absence takes a little over five
QUOTE_TIMEOUT = 3.0  # seconds to wait for a first price; without one, checks that need it deny
_MOMENT = 0.25  # seconds: what is known is answered at once, and that nobody is there, too


class Wait(StrEnum):
    """How far an order must have come before it counts as placed."""

    NONE = "none"
    ACCEPTED = "accepted"
    FILLED = "filled"


class Prepared(NamedTuple):
    """A group about to be placed, with what was known when it was made."""

    group: OrderGroup
    command: SubmitOrders
    details: ContractDetails
    quote: Quote | None


async def prepare(
    trader: Trader, request: OrderRequest | GroupRequest, *, without_stop: bool = False
) -> Prepared:
    """Resolve the contract, fetch a price and derive the group; nothing is written or sent.

    `without_stop` says that it is meant to be opened without a protective stop.

    Raises:
        ValueError: If the request contradicts itself.
        AmbiguousContract: If the symbol is not exactly one contract.
        RiskCheckError: If nobody can name the contract now, and nothing may be opened anyway.
        BrokerUnavailable: If nobody answers.
    """
    request.validate()
    details = await learn_to_open(trader, request.symbol)
    # An order that nobody can account for blocks its symbol: it is soon known, or proven lost.
    await trader.recovery.settled(timeout=SETTLE_TIMEOUT)
    quote = await trader.study(details.contract, timeout=QUOTE_TIMEOUT)
    position = trader.portfolio.positions.get(details.contract.con_id)
    setting = Setting(
        group_id=trader.new_group_id(),
        contract=details.contract,
        account=trader.account,
        bands=details.bands,
        mark=quote.mark if quote is not None else None,
        held=position.quantity if position is not None else ZERO,
    )
    group = (
        Single.create(request, setting)
        if isinstance(request, OrderRequest)
        else request.group(setting)
    )
    command = group.open()
    if without_stop:
        command = msgspec.structs.replace(command, without_stop=True)
    await know_shortable(trader, command)
    return Prepared(group, command, details, quote)


async def learn_to_open(trader: Trader, symbol: str) -> ContractDetails:
    """Resolve the symbol of something new that is to go out.

    While IBKR is away nobody can name a contract that we do not know, and nothing new would go
    out in it: then that is said at once. What is held is asked for with patience all the same:
    it may be a way out.

    Raises:
        AmbiguousContract: If it is not exactly one contract.
        RiskCheckError: If no answer is to be had, and nothing may be opened whatever it were.
        BrokerUnavailable: If nobody answers.
    """
    portfolio = trader.portfolio
    is_held = any(ticker(one.contract) == symbol for one in portfolio.positions.values())
    if trader.outlook.is_synced or portfolio.link.is_up or is_held:
        return await trader.learn(symbol)
    with suppress(TimeoutError):
        async with asyncio.timeout(_MOMENT):
            return await trader.learn(symbol)
    if breaches := trader.router.beforehand():
        raise _denied(breaches)
    return await trader.learn(symbol)  # the line is back


async def know_shortable(trader: Trader, command: SubmitOrders | ModifyOrder) -> None:
    """Wait a moment until the market has said whether there is something to borrow.

    Only for what could open short: nothing else is kept waiting. Without an answer within
    the time that a first price may take, the review says what follows.
    """
    for change in propose(command, trader.outlook.view()).openings:
        contract, is_sale = change.spec.contract, change.spec.side is Side.SELL
        if change.spec.role.is_protective or not is_sale or contract.sec_type is not SecType.STOCK:
            continue

        def is_known(_: PortfolioState, con_id: int = contract.con_id) -> bool | None:
            quote = trader.market.last_quote(con_id)
            return True if quote is not None and quote.shortable is not None else None

        await trader.until(is_known, timeout=QUOTE_TIMEOUT)


async def place(
    trader: Trader, prepared: Prepared, *, wait: Wait, timeout: float
) -> tuple[Order, ...]:
    """Send a prepared group down the order path and return its orders as they then stand.

    Raises:
        RiskCheckError: If our checks deny it; nothing was sent.
        OrderRejectedError: If the broker refused one of its orders.
        OutcomeUnknown: If it may have been sent and nobody says so. Never send it again.
        BrokerUnavailable: If the broker was gone before anything was sent.
    """
    ids = tuple(spec.order_id for spec in prepared.command.orders)
    await begin(trader, prepared.group, prepared.command)
    return await settle(trader, ids, wait=wait, timeout=timeout)


async def begin(trader: Trader, group: OrderGroup, command: SubmitOrders) -> None:
    """Route the orders of a new group, which is looked after from the first news of them on.

    Raises:
        RiskCheckError: If our checks deny it.
        JournalError, BrokerUnavailable: As `OrderRouter.route`.
    """
    await agreed(trader, command)  # before the group is looked after: it may take a while
    disown = trader.groups.add(group, (spec.order_id for spec in command.orders))
    try:
        await _route(trader, command)
    except TraderError:
        disown()
        raise


async def route(trader: Trader, command: Command) -> None:
    """Route `command`, turning a denial into its exception.

    Raises:
        RiskCheckError: With every reason.
        TraderError: If a person must agree to it, and does not.
    """
    await agreed(trader, command)
    await _route(trader, command)


async def _route(trader: Trader, command: Command) -> None:
    verdict = await trader.router.route(command)
    if isinstance(verdict, Denied):
        raise _denied(verdict.breaches)


def _denied(breaches: tuple[Breach, ...]) -> RiskCheckError:
    hint = next((breach.hint for breach in breaches if breach.hint), "")
    return RiskCheckError(in_one_line(breaches), breaches=breaches, hint=hint)


async def settle(
    trader: Trader, ids: tuple[OrderId, ...], *, wait: Wait, timeout: float
) -> tuple[Order, ...]:
    """Wait until every order of `ids` is as far as `wait` asks, and return them.

    A fill that does not come within `timeout` seconds is no error: the orders are
    returned as they stand.

    Raises:
        OrderRejectedError: If the broker refused one.
        OutcomeUnknown: If one is still unacknowledged at the end.
    """
    if wait is Wait.NONE:
        return _orders(trader.portfolio, ids)

    def is_settled(portfolio: PortfolioState) -> tuple[Order, ...] | None:
        orders = _orders(portfolio, ids)
        return orders if all(_is_far_enough(order, wait) for order in orders) else None

    orders = await trader.until(is_settled, timeout=timeout) or _orders(trader.portfolio, ids)
    refusal = _refusal(orders)
    # What may be live comes first: who hears of a refusal alone might order again.
    doubtful = tuple(order.order_id for order in orders if order.status.is_in_flight)
    if doubtful:
        message = (
            f"no answer about {', '.join(doubtful)} within {timeout:g} s: it may be live, "
            "or a dialog in TWS (its precautions) holds it back until somebody answers there"
        )
        told = f"{message}; {refusal.message}" if refusal is not None else message
        raise OutcomeUnknown(told, order_ids=doubtful)
    if refusal is not None:
        raise refusal
    unsent = tuple(o for o in orders if o.status is OrderStatus.NOT_SENT)
    if unsent and len(unsent) == len(orders):
        raise _why_not_sent(trader, unsent[0])
    return orders


def _refusal(orders: tuple[Order, ...]) -> OrderRejectedError | None:
    """What the broker refused of them, and what it took all the same; None if it refused none."""
    refused = next((order for order in orders if order.status is OrderStatus.REJECTED), None)
    if refused is None:
        return None
    return OrderRejectedError(
        f"{refused.order_id} was rejected by the broker: {refused.reason}",
        order_id=refused.order_id,
        code=refused.code,
        reason=refused.reason,
        standing=tuple(o.order_id for o in orders if _leads(o) and _stands(o)),
    )


def _leads(order: Order) -> bool:
    """Whether it is what the others were sent for: with it, they end."""
    return order.spec.role in (OrderRole.ENTRY, OrderRole.SINGLE, OrderRole.CLOSE)


def _stands(order: Order) -> bool:
    return order.filled > ZERO or not order.status.is_closed


def _why_not_sent(trader: Trader, order: Order) -> TraderError:
    """A halt that overtook it is a denial; anything else is the link's."""
    message = f"{order.order_id} was not sent: {order.reason}"
    halted = trader.halter.objection(order.spec.contract)
    if not halted:
        return BrokerUnavailable(message)
    words = f"{order.order_id} was not sent: {halted}"
    hint = 'ibkr-trader resume --reason "…", once you know why it was halted'
    breach = Breach(check="trading_state", message=words, hint=hint)
    return RiskCheckError(words, breaches=(breach,), hint=hint)


def _is_far_enough(order: Order, wait: Wait) -> bool:
    if order.status.is_closed or order.status is OrderStatus.UNKNOWN:
        return True
    if order.status is OrderStatus.PENDING:
        return False
    if wait is Wait.FILLED and _leads(order):
        return order.filled >= order.spec.quantity > Decimal(0)
    return True


def _orders(portfolio: PortfolioState, ids: tuple[OrderId, ...]) -> tuple[Order, ...]:
    return tuple(order for order_id in ids if (order := portfolio.order(order_id)) is not None)
