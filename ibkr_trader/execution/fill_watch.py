"""Lets nothing more be opened after an execution that a person has to look at first.

A trade that was busted, a position that the broker has liquidated, an order that has traded more
than it was for: the desk's picture of its own doing was wrong, or somebody else acts on the
account. Which executions those are says `portfolio/odd_fills.py`. Each is told as an alarm of its
own, by symbol and execution; each comes once, so a resumption is not undone by its repeat. Of an
order that trades on and on beyond its size, the first execution is told until somebody resumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.portfolio.odd_fills import oddity, overfilled

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader


class FillWatch:
    """Looks at every execution that is news, once it is attached."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._overfilled: set[OrderId] = set()  # that are told, since it was resumed last

    def attach(self) -> None:
        """Listen from now on, for as long as the trader lives."""
        self._trader.bus.subscribe(ev.FillEvent, self._look)
        self._trader.bus.subscribe(ev.StateEvent, self._resume)

    def _resume(self, event: ev.StateEvent) -> None:
        if event.state is TradingState.ACTIVE:
            self._overfilled.clear()

    def _look(self, event: ev.FillEvent) -> None:
        trader = self._trader
        order = trader.portfolio.order(event.order_id)
        reason = oddity(event, order)
        if reason and event.order_id in self._overfilled and event.quantity_delta > 0:
            return
        if order is not None and overfilled(order):
            self._overfilled.add(event.order_id)
        if reason:
            trouble = ev.ErrorEvent(
                at=trader.clock.now(), code=0, message=reason, is_serious=True, needs_look=True
            )
            trader.record.witness([trouble])
