"""Taking over what was opened by hand, and giving it back: adopt and release.

Adopting puts a stop under what no stop ends yet, and puts on record that the position is looked
after from then on. The orders go first: a crash in between leaves a position with a stop, and
adopting again only completes the record. Releasing sends nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import Care
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT, TraderError
from ibkr_trader.core.text import percent, quantity
from ibkr_trader.execution.covering import carry_out
from ibkr_trader.execution.guardian import open_markets
from ibkr_trader.execution.placing import (
    QUOTE_TIMEOUT,
    SETTLE_TIMEOUT,
    Wait,
    place,
    prepare,
)
from ibkr_trader.execution.taking_over import take_over
from ibkr_trader.orders.adoption import Taken, exits
from ibkr_trader.orders.cover_orders import Attach, Policy, emergency_stop
from ibkr_trader.orders.coverage import coverage
from ibkr_trader.orders.exit_levels import Wanted
from ibkr_trader.portfolio.ledger_fold import subject_of
from ibkr_trader.portfolio.lost_orders import lost_orders, to_take_over, why_not

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from ibkr_trader.core.models import Contract, Order, Position
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.oco_orders import OCOOrderRequest
    from ibkr_trader.orders.trailing_stops import TrailingStopConfig

ORIGIN = "cli"
_CAUSE = "adopt"


class NothingHeld(TraderError, LookupError):
    """There is no position to adopt or to release."""


class CannotAdopt(TraderError):
    """A position cannot change hands as it stands; the message says why."""


class Adoption(NamedTuple):
    """A position that is about to be looked after.

    Attributes:
        held: What is held, signed; as much of it as is taken over.
        size: For how much of it exits are placed.
        request: The exits; None if stops end all of it already.
        lost: Orders of a lost journal in it: they are taken over with it.
    """

    position: Position
    held: Decimal
    size: Decimal
    request: Attach | TrailingStopConfig | OCOOrderRequest | None
    lost: tuple[Order, ...] = ()


async def prepare_adoption(
    trader: Trader,
    symbol: str,
    wanted: Wanted,
    *,
    most: Decimal | None = None,
) -> Adoption:
    """Find what is held and what it lacks; nothing is written or sent.

    Args:
        trader: Who is to look after it.
        symbol: What is held.
        wanted: The exits that are asked for. Without any, the settings' stop is taken.
        most: Take over no more than so much of it; None is all of it.

    Raises:
        NothingHeld: If nothing is held.
        CannotAdopt: If it is being closed, not certain, was turned while its price was asked for,
            or would be left without a stop.
        ValueError: If what is asked for contradicts itself.
        AmbiguousContract: If the symbol is not exactly one contract.
        BrokerUnavailable: If nobody answers.
    """
    if wanted.fault:
        raise ValueError(wanted.fault)
    before = await position_of(trader, symbol)
    contract = before.contract
    await trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
    # From here on nothing is awaited: what is held and its orders are of one moment.
    position = _same_side(before, _certain(trader, contract))
    size = abs(position.quantity) if most is None else min(most, abs(position.quantity))
    held = size if position.quantity > 0 else -size
    bare = min(size, _naked(trader, position))
    lost = to_take_over(trader.portfolio, client_id=trader.client_id, con_id=contract.con_id)
    request = _exits(trader, position, wanted, size=bare) if bare else None
    return Adoption(position, held, bare, request, lost)


async def prepare_orders(trader: Trader, symbol: str, perm_ids: Sequence[int]) -> tuple[Order, ...]:
    """Find orders of a lost journal by their permanent ids; nothing is written or sent.

    Args:
        trader: Who is to look after them.
        symbol: What they trade: a number that was mistyped is another contract's, most often.
        perm_ids: The broker's ids of them.

    Raises:
        CannotAdopt: If one is none of a lost journal of ours, or cannot be taken over.
        AmbiguousContract: If the symbol is not exactly one contract.
        BrokerUnavailable: If nobody answers.
    """
    await trader.recovery.synchronize()
    contract, portfolio = (await trader.learn(symbol)).contract, trader.portfolio
    lost = lost_orders(portfolio, client_id=trader.client_id, con_id=contract.con_id)
    found = {order.perm_id: order for order in lost}
    for perm_id in perm_ids:
        if perm_id not in found:
            known = ", ".join(map(str, sorted(found))) or "there are none"
            message = f"{perm_id} is no {label(contract)} order of a lost journal of ours: {known}"
            raise CannotAdopt(message, hint=WHAT_BECAME_OF_IT)
        if obstacle := why_not(portfolio, found[perm_id]):
            raise CannotAdopt(f"{perm_id} cannot be taken over: {obstacle}", hint=WHAT_BECAME_OF_IT)
    return tuple(order for order in lost if order.perm_id in perm_ids)


async def adopt(trader: Trader, adoption: Adoption, *, timeout: float) -> tuple[Order, ...]:
    """Place the exits that are lacking, then put on record that the position is looked after.

    Orders of a lost journal in it are ours before anything is placed. Returns the exits that were
    placed, once the broker has them.

    Raises:
        CannotTakeOver: If an order of a lost journal is not as it was; nothing was sent.
        RiskCheckError: If our checks deny them; nothing was sent, and it is not adopted.
        OrderRejectedError: If the broker refuses one; it is not adopted.
        OutcomeUnknown: If they may have been sent and no answer came; it is not adopted yet.
        BrokerUnavailable: If the broker was gone before anything was sent.
        JournalError: If it cannot be recorded.
    """
    if adoption.lost:
        take_over(trader, (order.order_id for order in adoption.lost), origin=ORIGIN)
    orders = await _placed(trader, adoption, timeout=timeout)
    _record(trader, adoption.position.contract, Care.ADOPTED, held=adoption.held)
    await trader.guardian.look()  # what was too much while it was left alone is seen at once
    return orders


async def release(trader: Trader, symbol: str) -> Position:
    """Put on record that a position is left alone from now on, and return it; nothing is sent.

    Raises:
        JournalError: If it cannot be recorded.
        NothingHeld, CannotAdopt, AmbiguousContract, BrokerUnavailable: As `position_of`.
    """
    position = await position_of(trader, symbol)
    _record(trader, position.contract, Care.RELEASED, held=position.quantity)
    return position


async def position_of(trader: Trader, symbol: str) -> Position:
    """Return the position that may change hands, as the broker now states it.

    Raises:
        NothingHeld: If nothing is held.
        CannotAdopt: If it is being closed, or not certain.
        AmbiguousContract: If the symbol is not exactly one contract.
        BrokerUnavailable: If nobody answers.
    """
    if trader.portfolio.drift:
        await trader.recovery.synchronize()
    await trader.recovery.settled(timeout=SETTLE_TIMEOUT)
    return _certain(trader, (await trader.learn(symbol)).contract)


def _certain(trader: Trader, contract: Contract) -> Position:
    """Return what is held of a contract as it now stands, if it may change hands."""
    portfolio = trader.portfolio
    position = portfolio.positions.get(contract.con_id)
    if position is None:
        is_lost = any(order.is_foreign for order in _working(trader, contract.con_id))
        hint = WHAT_BECAME_OF_IT if is_lost else "ibkr-trader positions"
        raise NothingHeld(f"no {label(contract)} is held", hint=hint)
    if contract.con_id in portfolio.closings:
        message = f"{label(contract)} is being closed"
        raise CannotAdopt(message, hint=f"ibkr-trader close {ticker(contract)}")
    if subject_of(contract) in portfolio.drift:
        message = f"what is held of {label(contract)} is not certain: the broker was asked again"
        raise CannotAdopt(message, hint="ibkr-trader reconcile")
    return position


def _same_side(before: Position, position: Position) -> Position:
    """Return what is held, if it is not the other side by now: exits were asked for this one."""
    if position.quantity * before.quantity < 0:
        was, now = quantity(before.quantity), quantity(position.quantity)
        what = label(position.contract)
        message = f"{what} was turned from {was} to {now} meanwhile: nothing was sent"
        raise CannotAdopt(message, hint="ibkr-trader positions")
    return position


def _naked(trader: Trader, position: Position) -> Decimal:
    """How much no stop ends; an order that may be live would be counted twice."""
    live = _working(trader, position.contract.con_id)
    ending = [o for o in live if o.spec.side.sign * position.quantity < 0]
    doubtful = [o.order_id for o in ending if o.status.is_in_flight]
    if doubtful:
        message = f"{', '.join(doubtful)} may be live, and would end it: nothing was sent"
        raise CannotAdopt(message, hint=WHAT_BECAME_OF_IT)
    return coverage(position.quantity, live, mark=position.market_price).naked


def _working(trader: Trader, con_id: int) -> list[Order]:
    return [o for o in trader.portfolio.orders.values() if o.spec.contract.con_id == con_id]


def _exits(
    trader: Trader, position: Position, wanted: Wanted, *, size: Decimal
) -> Attach | TrailingStopConfig | OCOOrderRequest:
    contract = position.contract
    details = trader.outlook.details(contract.con_id)
    bands = details.bands if details is not None else ()
    name = ticker(contract)
    taken = Taken(name, contract, position.quantity, position.average_cost, bands)
    if wanted.stop is None and wanted.trail is None:
        return _by_the_settings(trader, taken, size)
    return exits(wanted, taken, size)


def _by_the_settings(trader: Trader, taken: Taken, size: Decimal) -> Attach:
    """The stop that the settings would put there, if they put one anywhere."""
    contract, rules = taken.contract, trader.guardian.rules
    far = percent(rules.stop_distance).replace(" ", "")
    bare = f"{quantity(size)} of {quantity(abs(taken.held))} {label(contract)}"
    hint = f"ibkr-trader adopt {taken.symbol} --stop {far}"
    if rules.policy is not Policy.ATTACH:
        raise CannotAdopt(f"{bare} would be without a stop: say where it belongs", hint=hint)
    market = open_markets(trader).get(contract.con_id)
    if market is None:
        message = f"{bare} would be without a stop, and no price of an open market is at hand"
        raise CannotAdopt(message, hint=hint)
    at = emergency_stop(taken.held, taken.cost, market, distance=rules.stop_distance)
    if at is None:
        raise CannotAdopt(f"there is no room for a stop under {bare}", hint=hint)
    return Attach(contract, taken.side, size, at)


async def _placed(trader: Trader, adoption: Adoption, *, timeout: float) -> tuple[Order, ...]:
    request = adoption.request
    match request:
        case None:
            return ()
        case Attach():
            command = request.order(trader.new_group_id(), trader.account)
            command = msgspec.structs.replace(command, origin=ORIGIN, correlation_id=_CAUSE)
            return (await carry_out(trader, command, timeout=timeout),)
        case _:
            prepared = await prepare(trader, request)
            command = msgspec.structs.replace(prepared.command, correlation_id=_CAUSE)
            prepared = prepared._replace(command=command)
            return await place(trader, prepared, wait=Wait.ACCEPTED, timeout=timeout)


def _record(trader: Trader, contract: Contract, care: Care, *, held: Decimal) -> None:
    event = ev.CareEvent(
        at=trader.clock.now(), contract=contract, care=care, held=held, origin=ORIGIN
    )
    trader.record.write([event])
