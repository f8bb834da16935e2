"""Calls a person where the broker holds what would end a position to a price of its own.

The broker may cap the price at which an order trades (2161): a stop that has fired, or a close,
then works at that bound, and in a market that runs away it never fills. Nothing of it can be mended
from here, for another order would be capped alike. So it is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import broker_words
from ibkr_trader.portfolio.ledger_fold import quantity_of

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.trader import Trader

PRICE_CAPPED = 2161


class CapWatch:
    """Hears of caps, once it is attached."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader

    def attach(self) -> None:
        """Listen from now on, for as long as the trader lives."""
        self._trader.bus.subscribe(ev.WarningEvent, self._look)

    def _look(self, event: ev.WarningEvent) -> None:
        trader = self._trader
        order = trader.portfolio.order(event.order_id)
        if event.code != PRICE_CAPPED or order is None or not self._ends(order):
            return
        words = broker_words(event.reason) or "its price is capped"
        message = (
            f"{label(order.spec.contract)}: {short_id(order.order_id)} may never fill, the broker "
            f"holds it to a price of its own: {words}"
        )
        trouble = ev.ErrorEvent(
            at=trader.clock.now(), code=event.code, message=message, is_serious=True
        )
        trader.record.witness([trouble])

    def _ends(self, order: Order) -> bool:
        """Whether it is there to end what is held."""
        held = quantity_of(self._trader.portfolio, order.spec.contract.con_id)
        return order.spec.role.is_protective or held * order.spec.side.sign < 0
