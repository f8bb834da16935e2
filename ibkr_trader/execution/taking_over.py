"""Taking over orders of a lost journal: put on record as ours, as they stand; nothing is sent.

From then on they are cancelled, changed and counted like any other, and their executions are
theirs. The broker adapter asks the picture whose a reference is, so it is told nothing. What it
has read and named before, and nobody has heard yet, intake puts on record by the name of now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT, TraderError
from ibkr_trader.portfolio.lost_orders import as_ours, why_not

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.trader import Trader


class CannotTakeOver(TraderError, LookupError):
    """An order cannot be taken over as it stands; the message says why."""


def take_over(
    trader: Trader, orders: Iterable[OrderId], *, origin: str, is_vital: bool = False
) -> tuple[Order, ...]:
    """Put orders of a lost journal on record as ours, all or none, and return them as they are.

    Args:
        trader: Whose they become.
        orders: What they are called here until then.
        origin: Who asked.
        is_vital: It must be known though the disk refuses it: it is on the way out.

    Raises:
        CannotTakeOver: If one has ended, or is not the only one of its name.
        JournalError: If it cannot be recorded, and is not vital.
    """
    portfolio, at = trader.portfolio, trader.clock.now()
    found: list[ev.AdoptEvent] = []
    for order_id in dict.fromkeys(orders):
        order = portfolio.orders.get(order_id)
        obstacle = "it does not work any more" if order is None else why_not(portfolio, order)
        if order is None or obstacle:
            message = f"{order_id} cannot be taken over: {obstacle}; nothing was changed"
            raise CannotTakeOver(message, hint=WHAT_BECAME_OF_IT)
        ours = as_ours(order)
        found.append(
            ev.AdoptEvent(at=at, order_id=ours.order_id, order=ours, was=order_id, origin=origin)
        )
    if found:
        trader.record.attempt(found, is_vital=is_vital)
    known = (trader.portfolio.order(event.order_id) for event in found)
    return tuple(order for order in known if order is not None)
