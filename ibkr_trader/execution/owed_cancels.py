"""The cancels that recovery has asked for and that may have got lost on their way.

On a later link the broker may show such an order at work, as if nobody had ever asked: what did
not leave is on record as refused, and what a look-up has found working is believed to work. So
it is remembered here, and decided anew from what the broker shows then. What somebody wished not
for long: where a link stands and the order works all the same, he is told, and has to say so
again if he still wants it gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.ids import is_twin
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
_LEAVING = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN})


class Moment(NamedTuple):
    """On which link, and when: its epoch, and seconds of the monotonic clock."""

    epoch: int
    at: float


class Due(NamedTuple):
    """What is to be cancelled, and what of it nobody asks for any more: it was lost for good."""

    asked: tuple[OrderId, ...]
    dropped: tuple[OrderId, ...]


class _Debt(NamedTuple):
    con_id: int
    is_of_half: bool = True  # whether half a group is the reason
    asked: Moment | None = None  # last

    def is_stale(self, now: Moment) -> bool:
        """Whether a wish was asked for long ago, on a link that stands; half a group stays one."""
        asked = self.asked
        if self.is_of_half or asked is None or asked.epoch != now.epoch:
            return False
        return now.at - asked.at >= STANDS


class OwedCancels:
    """Remembers, for as long as the process runs, which orders are still to go, and why."""

    def __init__(self) -> None:
        self._owed: dict[OrderId, _Debt] = {}
        self._wished_by: dict[OrderId, str] = {}

    def listen(
        self, bus: EventBus, history: Iterable[ev.BaseEvent], portfolio: PortfolioState
    ) -> None:
        """Hear of wishes, changes and answers.

        Of earlier processes `history` tells, and `portfolio` of what is still on its way out: what
        recovery has taken for half of a group is looked at anew.
        """
        halves: set[OrderId] = set()
        for event in history:
            if isinstance(event, ev.CancelRequestEvent):
                self._note_wish(event)
                if event.origin == RECOVERY and not is_twin(event.order_id):
                    halves.add(event.order_id)
            elif isinstance(event, ev.ModifyEvent):
                self._settle(event)
        for order_id in halves & self.unwished(portfolio):
            order = portfolio.orders[order_id]
            if order.spec.contract.con_id not in portfolio.cares:
                self.add(order)
        bus.subscribe(ev.CancelRequestEvent, self._note_wish)
        bus.subscribe(ev.ModifyEvent, self._settle)
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

    def due(self, portfolio: PortfolioState, now: Moment) -> Due:
        """Return what works all the same, and is not wanted again; it is asked `now`.

        Who changes an order wants it, and half of a group is none once the other half is there.
        """
        asked: list[OrderId] = []
        dropped: list[OrderId] = []
        for order_id, debt in tuple(self._owed.items()):
            order = portfolio.orders.get(order_id)
            if order is None:
                self._forget(order_id)
            elif not _works(order):
                continue
            elif debt.is_stale(now):
                self._forget(order_id)
                dropped.append(order_id)
            elif debt.is_of_half and not is_half(portfolio, order):
                self._forget(order_id)
            else:
                asked.append(order_id)
                if debt.asked is None or debt.asked.epoch != now.epoch:
                    self._owed[order_id] = debt._replace(asked=now)
        self._forget_wishes(portfolio)
        return Due(tuple(asked), tuple(dropped))

    def _forget_wishes(self, portfolio: PortfolioState) -> None:
        """A wish is over with its order, or where it works and nothing is owed: it was answered."""
        for order_id in tuple(self._wished_by):
            order = portfolio.order(order_id)
            if order is None or (_works(order) and order_id not in self._owed):
                del self._wished_by[order_id]

    def _forget(self, order_id: OrderId) -> None:
        self._owed.pop(order_id, None)

    def _settle(self, event: ev.ModifyEvent) -> None:
        """Who changes an order wants it: whatever was wished before is another matter."""
        self._forget(event.order_id)
        self._wished_by.pop(event.order_id, None)

    def _note_wish(self, event: ev.CancelRequestEvent) -> None:
        if event.origin in _NO_WISHES:
            return
        self._wished_by[event.order_id] = event.origin
        if event.order_id in self._owed:  # a new one, with a time of its own
            self._owed[event.order_id] = self._owed[event.order_id]._replace(asked=None)

    def _note_refusal(self, event: ev.CancelRejectEvent) -> None:
        if event.code:  # that is an answer: it was not lost
            self._forget(event.order_id)

    def _note_care(self, event: ev.CareEvent) -> None:
        """A person has decided what becomes of a position, with its orders as they then worked."""
        con_id = event.contract.con_id
        self._owed = {o: debt for o, debt in self._owed.items() if debt.con_id != con_id}


def _works(order: Order) -> bool:
    return order.status.is_open and order.status not in _LEAVING
