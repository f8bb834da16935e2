"""Bringing a simulated or paper account back to nothing: no order, no position, and proof of it.

Everything is taken back, orders of others too: that is for practice, and refused where money is
real. What is held goes the way of every closing, which is on record before its stop goes: what
this process cannot end, the next one goes on with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import BrokerUnavailable, OutcomeUnknown, TraderError
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.closing import Closed, close_each
from ibkr_trader.execution.desk import settle_closed
from ibkr_trader.execution.placing import route
from ibkr_trader.orders.closing import KIND
from ibkr_trader.portfolio.openers import openers

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, Order, Position
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.state import PortfolioState

EVERYTHING = OrderId("everything")
_LOOKS = 10  # at what is left of others' orders
_PAUSE = 0.3  # seconds between two of them: nobody tells when they are gone


class Left(NamedTuple):
    """What an account holds and what works in it, whoever placed it."""

    positions: tuple[Position, ...]
    orders: tuple[Order, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether the account is flat and empty."""
        return not (self.positions or self.orders)


class Cleared(NamedTuple):
    """What was done.

    Attributes:
        cancelled: Orders that ended meanwhile, whoever's.
        closed: What became of each position.
        left: What the broker says is still there.
        troubles: What went wrong, in plain words.
    """

    cancelled: tuple[OrderId, ...]
    closed: tuple[Closed, ...]
    left: Left
    troubles: tuple[str, ...]


def left_in(trader: Trader) -> Left:
    """Return what is there, as it is now known."""
    portfolio = trader.portfolio
    return Left(tuple(portfolio.positions.values()), tuple(portfolio.orders.values()))


async def clear(trader: Trader, *, timeout: float, tell: Callable[[str], None]) -> Cleared:
    """Cancel every order, close every position, and ask the broker what is left.

    What is held keeps its exits until its closing takes them, and a closing under way keeps its
    order: it is on record, so whoever comes next goes on with it if this process ends.
    What cannot be ended stops nothing else: it is among what is left.

    Raises:
        OutcomeUnknown: If the broker is gone before it has told what is left.
    """
    before = set(trader.portfolio.orders)
    done: dict[int, Closed] = {}

    async def close(contracts: Iterable[Contract]) -> None:
        for one in await close_each(trader, contracts, timeout=timeout, tell=tell):
            done[one.contract.con_id] = one

    troubles: list[str] = []

    async def attempt(work: Awaitable[None]) -> None:
        try:
            await work
        except TraderError as error:
            troubles.append(error.message)

    await attempt(_take_back(trader, _unheld(trader), timeout=timeout, tell=tell))
    await attempt(close(one for one in _to_close(trader) if not _is_held_up(trader, one)))
    await attempt(_take_back_others(trader, done, timeout=timeout, tell=tell))
    await attempt(close(one for one in _to_close(trader) if one.con_id not in done))
    await attempt(_take_back(trader, _openers(trader), timeout=timeout, tell=tell))
    closed = tuple(done.values())
    try:
        await trader.recovery.synchronize()
    except BrokerUnavailable as error:  # what was cancelled and closed before has been sent
        raise _unseen(before, closed, error) from error
    troubles += [one.trouble.message for one in closed if one.trouble is not None]
    left = left_in(trader)
    gone = before - {order.order_id for order in left.orders}
    return Cleared(tuple(sorted(gone)), closed, left, tuple(troubles))


def _unseen(
    orders: Iterable[OrderId], closed: Iterable[Closed], gone: BrokerUnavailable
) -> OutcomeUnknown:
    open_still = [label(one.contract) for one in closed if one.trouble is not None]
    bare = f"; {', '.join(open_still)} may be held without a stop" if open_still else ""
    message = (
        "orders were being cancelled and positions closed, and nobody says what is left"
        f"{bare}: {gone.message}"
    )
    unknown = OutcomeUnknown(message, order_ids=tuple(sorted(orders)))
    unknown.hint = "ibkr-trader positions; ibkr-trader orders; then reset-account again"
    return unknown


def _to_close(trader: Trader) -> list[Contract]:
    """What is held, and what is being closed already: that is joined, not begun again."""
    portfolio = trader.portfolio
    found = {con_id: held.contract for con_id, held in portfolio.positions.items()}
    found |= {con_id: request.contract for con_id, request in portfolio.closings.items()}
    return list(found.values())


def _is_held_up(trader: Trader, contract: Contract) -> bool:
    """Whether others have orders in it: it can be closed for good once they are gone."""
    return any(order.spec.contract.con_id == contract.con_id for order in _others(trader))


def _unheld(trader: Trader) -> list[Order]:
    """Ours that no closing will take: nothing is held there that they could protect."""
    kept = {contract.con_id for contract in _to_close(trader)}
    return [o for o in _ours(trader) if o.spec.contract.con_id not in kept]


def _openers(trader: Trader) -> list[Order]:
    """Ours that could open more of what could not be closed."""
    closings = trader.portfolio.closings
    return [o for o in openers(trader.portfolio) if o.spec.contract.con_id not in closings]


async def _take_back(
    trader: Trader, orders: list[Order], *, timeout: float, tell: Callable[[str], None]
) -> None:
    """Our own, one by one, as a closing does it: nobody puts them there again, or misses them."""
    if not orders:
        return
    tell(f"cancelling {len(orders)} of ours")
    for order in _entries_first(orders):
        await route(trader, CancelOrder(order_id=order.order_id, origin=KIND))
    await settle_closed(trader, tuple(o.order_id for o in orders), timeout=timeout)


async def _take_back_others(
    trader: Trader, done: dict[int, Closed], *, timeout: float, tell: Callable[[str], None]
) -> None:
    """Those of others, all at once: nobody can name them.

    It takes ours along, so what is held is on record as being closed before: who loses its stop
    by it is closed, or has it put back. A closing that loses its order by it is over: that is
    waited for, and it is `done` no more, so that it is closed again.
    """
    if not _others(trader):
        return
    tell(f"cancelling {len(_others(trader))} of others")
    closings = trader.portfolio.closings
    idle = [one for one in _to_close(trader) if one.con_id not in closings]
    for contract in idle:
        trader.closer.intend(contract)
    try:
        await _cancel_all(trader)
    finally:
        for contract in idle:
            trader.closer.begin(contract)
    await trader.until(_closings_stand, timeout=timeout)
    for con_id in done.keys() - trader.portfolio.closings.keys():
        if done[con_id].trouble is not None:
            del done[con_id]


async def _cancel_all(trader: Trader) -> None:
    """Cancel what works in the account, and look until it is gone: nobody tells of others'.

    Ours are named, too, or their groups would take it that the broker has lost them.
    """
    asked = frozenset(trader.portfolio.orders)
    for order in _entries_first(_ours(trader)):
        await route(trader, CancelOrder(order_id=order.order_id, origin=KIND))
    await route(trader, CancelOrder(order_id=EVERYTHING, is_of_all=True))
    for _ in range(_LOOKS):
        await trader.recovery.synchronize()
        if not asked & trader.portfolio.orders.keys():
            break
        await asyncio.sleep(_PAUSE)


def _closings_stand(portfolio: PortfolioState) -> bool | None:
    """True once every closing under way has an order of its own that works."""
    works = {
        order.spec.contract.con_id
        for order in portfolio.orders.values()
        if order.spec.role is OrderRole.CLOSE
    }
    return True if portfolio.closings.keys() <= works else None


def _entries_first(orders: Iterable[Order]) -> list[Order]:
    """An entry takes its exits with it."""
    return sorted(orders, key=lambda order: order.spec.parent_id is not None)


def _ours(trader: Trader) -> list[Order]:
    return [order for order in trader.portfolio.orders.values() if not order.is_foreign]


def _others(trader: Trader) -> list[Order]:
    return [order for order in trader.portfolio.orders.values() if order.is_foreign]
