"""The cancels that recovery has asked for and that may have got lost on their way.

On a later link the broker may show such an order at work, as if nobody had ever asked: what did
not leave is on record as refused, and what a look-up has found working is believed to work. So
it is remembered here, and decided anew from what the broker shows then. Not for long: where a
link stands and the order works all the same, everybody sees that it does, and who wants it gone
has to say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

STANDS = 60.0  # seconds after which a cancel that was asked for is not on its way any more
_NO_WISHES = frozenset({BROKER, RECOVERY})


class Moment(NamedTuple):
    """On which link, and when: its epoch, and seconds of the monotonic clock."""

    epoch: int
    at: float


class _Debt(NamedTuple):
    con_id: int
    is_of_half: bool = True  # whether half a group is the reason
    asked: Moment | None = None  # last

    def is_stale(self, now: Moment) -> bool:
        """Whether the link on which it was asked for has stood for long enough."""
        asked = self.asked
        return asked is not None and asked.epoch == now.epoch and now.at - asked.at >= STANDS


class OwedCancels:
    """Remembers, for as long as the process runs, which orders are still to go, and why."""

    def __init__(self) -> None:
        self._owed: dict[OrderId, _Debt] = {}
        self._wished_by: dict[OrderId, str] = {}

    def listen(
        self, bus: EventBus, history: Iterable[ev.BaseEvent], portfolio: PortfolioState
    ) -> None:
        """Hear of wishes, changes and answers.

        Of earlier processes `history` tells, and `portfolio` of what is still there: what recovery
        has taken for half of a group is looked at anew.
        """
        asked = [event for event in history if isinstance(event, ev.CancelRequestEvent)]
        for event in asked:
            self._note_wish(event)
        halves = {event.order_id for event in asked if event.origin == RECOVERY}
        for order_id in halves - self._wished_by.keys():
            if order_id in portfolio.orders:
                self.add(portfolio.orders[order_id])
        bus.subscribe(ev.CancelRequestEvent, self._note_wish)
        bus.subscribe(ev.ModifyEvent, lambda event: self._settle(event.order_id))
        bus.subscribe(ev.CancelRejectEvent, self._note_refusal)
        bus.subscribe(ev.CareEvent, self._note_care)

    def unwished(self, portfolio: PortfolioState) -> frozenset[OrderId]:
        """Return the orders on their way out that nobody of ours has asked away.

        Somebody else did, in TWS, or recovery itself as half of a group.
        """
        leaving = (o for o in portfolio.orders.values() if o.status is OrderStatus.PENDING_CANCEL)
        return frozenset(o.order_id for o in leaving if o.order_id not in self._wished_by)

    def add(self, order: Order) -> None:
        """Note an order that recovery is about to cancel, as it stood before it looked."""
        wish = self._wished_by.get(order.order_id)
        is_wished = wish is not None and order.status is OrderStatus.PENDING_CANCEL
        if is_wished and wish == KIND:
            return  # a closing asks by itself, unless it has given up: then its stop must stay
        known = self._owed.get(order.order_id) or _Debt(order.spec.contract.con_id)
        self._owed[order.order_id] = known._replace(is_of_half=known.is_of_half and not is_wished)

    def due(self, portfolio: PortfolioState, now: Moment) -> tuple[OrderId, ...]:
        """Return what works all the same, and is not wanted again; it is asked `now`.

        Who changes an order wants it, and half of a group is none once the other half is there.
        """
        found: list[OrderId] = []
        for order_id, debt in tuple(self._owed.items()):
            order = portfolio.orders.get(order_id)
            if order is None:
                self._forget(order_id)
            elif order.status.is_open and order.status is not OrderStatus.PENDING_CANCEL:
                if debt.is_stale(now) or (debt.is_of_half and not is_half(portfolio, order)):
                    self._forget(order_id)
                    continue
                found.append(order_id)
                if debt.asked is None or debt.asked.epoch != now.epoch:
                    self._owed[order_id] = debt._replace(asked=now)
        return tuple(found)

    def keep(self, portfolio: PortfolioState) -> None:
        """Forget the wishes of orders that cannot work any more."""
        alive = portfolio.orders
        self._wished_by = {o: origin for o, origin in self._wished_by.items() if o in alive}

    def _forget(self, order_id: OrderId) -> None:
        self._owed.pop(order_id, None)

    def _settle(self, order_id: OrderId) -> None:
        """Let nobody have wished for it, either: what is asked from here on is another matter."""
        self._forget(order_id)
        self._wished_by.pop(order_id, None)

    def _note_wish(self, event: ev.CancelRequestEvent) -> None:
        if event.origin not in _NO_WISHES:
            self._wished_by[event.order_id] = event.origin

    def _note_refusal(self, event: ev.CancelRejectEvent) -> None:
        if event.code:  # that is an answer: it was not lost
            self._settle(event.order_id)

    def _note_care(self, event: ev.CareEvent) -> None:
        """A person has decided what becomes of a position, with its orders as they then worked."""
        con_id = event.contract.con_id
        self._owed = {o: debt for o, debt in self._owed.items() if debt.con_id != con_id}
