"""The cancels that recovery has asked for and that may have got lost on their way.

On a later link the broker may show such an order at work, as if nobody had ever asked: what did
not leave is on record as refused, and what a look-up has found working is believed to work. So
it is remembered here, and decided anew from what the broker shows then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.orders.closing import KIND
from ibkr_trader.orders.wishes import BROKER, RECOVERY
from ibkr_trader.portfolio.halves import is_half

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.portfolio.state import PortfolioState

_NO_WISHES = frozenset({BROKER, RECOVERY})


class OwedCancels:
    """Remembers, for as long as the process runs, which orders are still to go, and why."""

    def __init__(self) -> None:
        self._owed: dict[OrderId, bool] = {}  # whether half a group is the reason
        self._wished_by: dict[OrderId, str] = {}

    def listen(self, bus: EventBus, history: Iterable[ev.BaseEvent]) -> None:
        """Hear of wishes, changes and answers; `history` is what earlier processes have heard."""
        for event in history:
            if isinstance(event, ev.CancelRequestEvent):
                self._note_wish(event)
        bus.subscribe(ev.CancelRequestEvent, self._note_wish)
        bus.subscribe(ev.ModifyEvent, lambda event: self._forget(event.order_id))
        bus.subscribe(ev.CancelRejectEvent, self._note_refusal)

    def add(self, order: Order) -> None:
        """Note an order that recovery is about to cancel, as it stood before it looked."""
        is_wished = order.status is OrderStatus.PENDING_CANCEL
        if is_wished and self._wished_by.get(order.order_id) == KIND:
            return  # a closing asks by itself, unless it has given up: then its stop must stay
        self._owed.setdefault(order.order_id, not is_wished)

    def due(self, portfolio: PortfolioState) -> tuple[OrderId, ...]:
        """Return what works all the same, and is not wanted again.

        Who changes an order wants it, and half of a group is none once the other half is there.
        """
        found: list[OrderId] = []
        for order_id, is_of_half in tuple(self._owed.items()):
            order = portfolio.orders.get(order_id)
            if order is None:
                self._forget(order_id)
            elif order.status.is_open and order.status is not OrderStatus.PENDING_CANCEL:
                if is_of_half and not is_half(portfolio, order):
                    self._forget(order_id)
                else:
                    found.append(order_id)
        return tuple(found)

    def keep(self, portfolio: PortfolioState) -> None:
        """Forget the wishes of orders that cannot work any more."""
        alive = portfolio.orders
        self._wished_by = {o: origin for o, origin in self._wished_by.items() if o in alive}

    def _forget(self, order_id: OrderId) -> None:
        self._owed.pop(order_id, None)

    def _note_wish(self, event: ev.CancelRequestEvent) -> None:
        if event.origin not in _NO_WISHES:
            self._wished_by[event.order_id] = event.origin

    def _note_refusal(self, event: ev.CancelRejectEvent) -> None:
        if event.code:  # that is an answer: it was not lost
            self._forget(event.order_id)
