"""Covering once, because a person asks: an emergency stop where one is missing, surplus taken away.

What the guardian does by the settings, and only of its own accord, is done here at once and
for every position, whoever opened it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.commands import CancelOrder, Command, SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import Contract, Order, OrderId
from ibkr_trader.core.text import price, quantity
from ibkr_trader.execution.desk import modify, settle_closed
from ibkr_trader.execution.guardian import open_markets
from ibkr_trader.execution.placing import QUOTE_TIMEOUT, Wait, route, settle
from ibkr_trader.orders.cover_orders import Attach
from ibkr_trader.orders.cover_rules import remedy, trimming
from ibkr_trader.orders.cover_scene import Look, Terms
from ibkr_trader.orders.cover_surplus import cuts, excess
from ibkr_trader.orders.coverage import coverage
from ibkr_trader.portfolio.protection import scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.cover_scene import Scene


class Fix(NamedTuple):
    """What is to be done in one contract; without a command, why nothing can be."""

    contract: Contract
    command: Command | None
    words: str


class Orphans(NamedTuple):
    """Exits of ours that could open a position where nothing, or too little, is held."""

    contract: Contract
    surplus: Decimal
    orders: tuple[OrderId, ...]


def orphans(trader: Trader) -> list[Orphans]:
    """Return the exits of ours that no position stands behind, by contract."""
    exits = trader.guardian.policy.known.exits
    found: list[Orphans] = []
    for scene in scenes(trader.portfolio):
        if scene.is_released:
            continue
        surplus = excess(scene.held, scene.orders, exits)
        if surplus:
            orders = tuple(cut.order.order_id for cut in cuts(scene.held, scene.orders, exits))
            found.append(Orphans(scene.contract, surplus, orders))
    return found


async def fixes(trader: Trader) -> list[Fix]:
    """Return what comes next to cover everything exactly, as things stand; nothing is sent.

    Ask again once it is done, until there is nothing: what makes room for a stop goes first.

    Raises:
        BrokerUnavailable: If nobody answers.
    """
    if trader.portfolio.drift:
        await trader.recovery.synchronize()
    found: list[Fix] = []
    for contract in [scene.contract for scene in scenes(trader.portfolio) if scene.held]:
        await trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
    for scene in scenes(trader.portfolio, open_markets(trader)):
        found += _fixes_of(trader, scene)
    return found


async def carry_out(trader: Trader, command: Command, *, timeout: float) -> Order:
    """Do what one of them says, and return the order as it then stands.

    Raises:
        RiskCheckError: If our checks deny it; nothing was sent.
        OrderRejectedError: If the broker refuses it.
        OutcomeUnknown: If it may have been sent and no answer came.
        BrokerUnavailable: If the broker was gone before anything was sent.
    """
    match command:
        case SubmitOrders() as submit:
            await route(trader, submit)
            ids = tuple(spec.order_id for spec in submit.orders)
            (order,) = await settle(trader, ids, wait=Wait.ACCEPTED, timeout=timeout)
            return order
        case CancelOrder() as cancel:
            await route(trader, cancel)
            (order,) = await settle_closed(trader, (cancel.order_id,), timeout=timeout)
            return order
        case change:
            return await modify(trader, change, timeout=timeout)


def _fixes_of(trader: Trader, scene: Scene) -> Iterator[Fix]:
    terms = Terms(trader.guardian.rules, trader.guardian.policy.known, trader.clock.now())
    name = label(scene.contract)
    if scene.is_released:
        return  # a person said so
    if scene.is_closing or not scene.is_known:
        why = "it is being closed" if scene.is_closing else "what is held is not certain"
        yield Fix(scene.contract, None, f"{name}: {why}")
        return
    for cut in cuts(scene.held, scene.orders, terms.known.exits):
        done = f"cut to {quantity(cut.left)}" if cut.left else "cancelled"
        words = f"{name}: {short_id(cut.order.order_id)} {done}"
        yield Fix(scene.contract, trimming(cut), words)
    naked = coverage(scene.held, scene.orders, mark=scene.mark).naked
    if not naked:
        return
    action, why = remedy(scene, naked, terms)
    match action:
        case Attach():
            command: Command = action.order(trader.new_group_id(), trader.account)
            words = f"a stop for {quantity(action.quantity)} at {price(action.stop_price)}"
            yield Fix(scene.contract, command, f"{name}: {words}")
        case None | Look():
            yield Fix(scene.contract, None, f"{name}: {why}")
        case CancelOrder():
            words = f"{short_id(action.order_id)} cancelled, to make room for a stop"
            yield Fix(scene.contract, action, f"{name}: {words}")
        case _:
            words = f"{short_id(action.order_id)} for {quantity(action.quantity)}"
            yield Fix(scene.contract, action, f"{name}: {words}")
