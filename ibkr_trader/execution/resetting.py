"""Bringing a simulated or paper account back to nothing: no order, no position, and proof of it.

Everything is taken back, orders of others too, and stops before what they protect: that is for
practice, and refused where money is real.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.contracts import label
from ibkr_trader.core.errors import BrokerUnavailable, OutcomeUnknown, TraderError
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.closing import Closed, close_each
from ibkr_trader.execution.desk import settle_closed
from ibkr_trader.execution.placing import route
from ibkr_trader.orders.closing import KIND

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order, Position
    from ibkr_trader.execution.trader import Trader

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

    What cannot be ended stops nothing else: it is among what is left.

    Raises:
        OutcomeUnknown: If the broker is gone before it has told what is left.
    """
    before = {order.order_id for order in trader.portfolio.orders.values()}
    troubles: list[str] = []
    for work in (
        partial(_take_back, trader, timeout=timeout, tell=tell),
        partial(_take_back_others, trader, tell=tell),
    ):
        try:
            await work()
        except TraderError as error:
            troubles.append(error.message)
    contracts = [position.contract for position in trader.portfolio.positions.values()]
    closed = await close_each(trader, contracts, timeout=timeout, tell=tell)
    try:
        await trader.recovery.synchronize()
    except BrokerUnavailable as error:  # what was cancelled and closed before has been sent
        raise _unseen(before, closed, error) from error
    troubles += [one.trouble.message for one in closed if one.trouble is not None]
    left = left_in(trader)
    gone = before - {order.order_id for order in left.orders}
    return Cleared(tuple(sorted(gone)), tuple(closed), left, tuple(troubles))


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


async def _take_back(trader: Trader, *, timeout: float, tell: Callable[[str], None]) -> None:
    """Our own, one by one, as a closing does it: nobody puts them there again, or misses them."""
    ours = [o for o in trader.portfolio.orders.values() if not o.is_foreign]
    if not ours:
        return
    tell(f"cancelling {len(ours)} of ours")
    # An entry takes its exits with it, so entries go first.
    for order in sorted(ours, key=lambda order: order.spec.parent_id is not None):
        await route(trader, CancelOrder(order_id=order.order_id, origin=KIND))
    await settle_closed(trader, tuple(o.order_id for o in ours), timeout=timeout)


async def _take_back_others(trader: Trader, *, tell: Callable[[str], None]) -> None:
    """Those of others, all at once: nobody can name them, and nobody tells when they are gone."""
    if not _others(trader):
        return
    tell(f"cancelling {len(_others(trader))} of others")
    await route(trader, CancelOrder(order_id=EVERYTHING, is_of_all=True))
    for _ in range(_LOOKS):
        await trader.recovery.synchronize()
        if not _others(trader):
            return
        await asyncio.sleep(_PAUSE)


def _others(trader: Trader) -> list[Order]:
    return [order for order in trader.portfolio.orders.values() if order.is_foreign]
