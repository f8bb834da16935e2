"""Callbacks for those who use the desk as a library, with the names of the fourth plan.

They see what the bus sees, after the journal. One that raises is fenced off: it is logged
and takes no part any more, and trading goes on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Fill, Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.portfolio.state import PortfolioState

logger = logging.getLogger(__name__)


@runtime_checkable
class OrderEventHandler(Protocol):
    """What happens to orders."""

    def on_order_status(self, order: Order) -> None:
        """Take an order whose status has changed, as it now stands."""

    def on_fill(self, fill: Fill) -> None:
        """Take an execution, partial or complete, or the correction of one."""

    def on_order_rejected(self, order: Order, reason: str) -> None:
        """Take an order that the broker refused, with its words."""


@runtime_checkable
class ConnectionEventHandler(Protocol):
    """What happens to the link."""

    def on_connected(self) -> None:
        """Learn that the connection stands and everything is in sync."""

    def on_disconnected(self) -> None:
        """Learn that the link is down."""


class HandlerRelay:
    """Passes events on to one handler, until it raises."""

    def __init__(self, handler: object, portfolio: Callable[[], PortfolioState]) -> None:
        self._handler = handler
        self._portfolio = portfolio
        self._statuses: dict[str, str] = {}
        self._is_fenced = False

    def attach(self, bus: EventBus) -> None:
        """Subscribe to what the handler has methods for.

        Raises:
            TypeError: If it is neither an order nor a connection handler.
        """
        handler = self._handler
        if not isinstance(handler, OrderEventHandler | ConnectionEventHandler):
            message = f"{type(handler).__name__} has the methods of no event handler"
            raise TypeError(message)
        if isinstance(handler, OrderEventHandler):
            bus.subscribe(ev.OrderEvent, self._order_event)
        if isinstance(handler, ConnectionEventHandler):
            bus.subscribe(ev.SyncEvent, lambda _: self._call("on_connected"))
            bus.subscribe(ev.DisconnectEvent, lambda _: self._call("on_disconnected"))

    def _order_event(self, event: ev.OrderEvent) -> None:
        order = self._portfolio().order(event.order_id)
        if isinstance(event, ev.FillEvent):
            self._call("on_fill", event.fill)
        if order is None:
            return
        if self._statuses.get(order.order_id) != order.status:
            self._statuses[order.order_id] = order.status
            self._call("on_order_status", order)
        if isinstance(event, ev.RejectEvent):
            self._call("on_order_rejected", order, event.reason)

    def _call(self, name: str, *args: Any) -> None:
        if self._is_fenced:
            return
        try:
            getattr(self._handler, name)(*args)
        except Exception:
            self._is_fenced = True
            logger.exception("the handler's %s raised; it is called no more", name)
