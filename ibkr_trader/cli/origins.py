"""Who placed each order: a person, a group, a rule. Orders themselves do not say.

It is heard when an order is announced; of those from before the start the journal knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.events import NewOrderEvent
from ibkr_trader.core.origins import STRATEGY
from ibkr_trader.core.text import plain
from ibkr_trader.orders.single_orders import KIND as SINGLE
from ibkr_trader.orders.wishes import PERSONS

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.trader import Trader

_MOST_KNOWN = 2_000


class Origin(NamedTuple):
    """The kind of group that an order is of, and who asked for it."""

    kind: str
    who: str


class Origins:
    """The origins of the live orders, and of some that have ended."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._known: dict[OrderId, Origin] = {}
        wanted = {one.order_id for one in trader.portfolio.orders.values() if not one.is_foreign}
        messages = trader.journal.resume() if wanted else ()  # of a bounded length: see the port
        for message in messages:
            if isinstance(message, NewOrderEvent) and message.order_id in wanted:
                self.hear(message)
                wanted.discard(message.order_id)
                if not wanted:
                    break

    def hear(self, event: NewOrderEvent) -> None:
        """Take note of a new order."""
        if len(self._known) >= _MOST_KNOWN:
            live = self._trader.portfolio.orders
            self._known = {key: one for key, one in self._known.items() if key in live}
        self._known[event.order_id] = Origin(event.kind, event.origin)

    def words(self, order: Order) -> str:
        """Return who placed an order; empty if nobody knows."""
        if order.is_foreign:
            return "elsewhere"
        trail = self._trader.trails.plan(order.order_id)
        if trail is not None:
            return f"trails, {self._placed(order)}"
        return self._placed(order)

    def _placed(self, order: Order) -> str:
        known = self._known.get(order.order_id)
        if known is None:
            return ""
        is_person = known.who in PERSONS or not known.who
        who = known.who.removeprefix(f"{STRATEGY}/")
        if known.kind == SINGLE:
            return "by hand" if is_person else plain(who)
        return known.kind if is_person or who == known.kind else f"{known.kind}, {who}"
