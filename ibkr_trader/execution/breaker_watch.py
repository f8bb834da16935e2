"""Halts what is refused again and again, and everything where no order is taken or answered.

The rule is in `risk/breaker.py`. What it finds goes on record as a halt, so it outlives the
strikes, the process and the day: until a person resumes. So does what a person has to look at
first: an order number that was used before, two orders under one name, a journal that is older
than the broker's orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.risk.breaker import DOUBT, READ_ONLY, takes_no_orders, trips
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


class BreakerWatch:
    """Looks at the strikes whenever one is added, once it is attached."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader

    def attach(self) -> None:
        """Listen from now on, for as long as the trader lives."""
        self._trader.bus.subscribe(ev.RejectEvent, self._look)
        self._trader.bus.subscribe(ev.UnknownEvent, self._look)
        self._trader.bus.subscribe(ev.ErrorEvent, self._hear)
        self._trader.bus.subscribe(ev.DriftEvent, self._compare)

    def _look(self, event: ev.RejectEvent | ev.UnknownEvent) -> None:
        trader, book = self._trader, self._trader.outlook.book
        reason = takes_no_orders(event) if isinstance(event, ev.RejectEvent) else ""
        if reason:
            trader.halter.reduce(reason, origin=READ_ONLY)
        for trip in trips(book.strikes, trader.outlook.limits, event.at):
            if trip.symbol in book.switch.held:
                continue  # a person has yet to resume it
            if trip.symbol == EVERYTHING:
                trader.halter.reduce(trip.reason, origin=trip.origin)
            else:
                trader.halter.stop(
                    trip.reason, origin=trip.origin, symbol=trip.symbol, keeps_entries=True
                )

    def _hear(self, event: ev.ErrorEvent) -> None:
        if event.needs_look:
            self._trader.halter.reduce(event.message, origin=DOUBT)

    def _compare(self, event: ev.DriftEvent) -> None:
        if event.needs_look:
            reason = f"{event.subject}: {event.ours} here, {event.theirs} at the broker"
            self._trader.halter.reduce(reason, origin=DOUBT)
