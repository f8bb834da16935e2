"""Lets nothing more be opened after an execution that a person has to look at first.

A trade that was busted, a position that the broker has liquidated, an order that has traded more
than it was for: the desk's picture of its own doing was wrong, or somebody else acts on the
account. Which executions those are says `portfolio/odd_fills.py`. Each is told as an alarm of its
own, by symbol and execution; each comes once, so a resumption is not undone by its repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.odd_fills import oddity

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


class FillWatch:
    """Looks at every execution that is news, once it is attached."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader

    def attach(self) -> None:
        """Listen from now on, for as long as the trader lives."""
        self._trader.bus.subscribe(ev.FillEvent, self._look)

    def _look(self, event: ev.FillEvent) -> None:
        trader = self._trader
        reason = oddity(event, trader.portfolio.order(event.order_id))
        if reason:
            trouble = ev.ErrorEvent(
                at=trader.clock.now(), code=0, message=reason, is_serious=True, needs_look=True
            )
            trader.record.witness([trouble])
