"""Keeps quotes coming of whatever is held or works, for as long as the trader runs.

What follows the market needs its prices: a managed trailing stop, the marks of positions,
the checks of what is sent. A subscription stands once it is made, and the market data
renews it after each reconnect; so it is made here, once for each contract, and made anew
where no price came.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable
from ibkr_trader.core.events import NewOrderEvent, PositionEvent, SyncEvent
from ibkr_trader.execution.placing import QUOTE_TIMEOUT

if TYPE_CHECKING:
    from datetime import date

    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.trader import Trader

logger = logging.getLogger(__name__)
AGAIN = 15.0  # seconds until a contract without a price is asked for again


class Watchlist:
    """The contracts whose quotes are wanted."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._watched: dict[int, date] = {}  # by contract: the day its details are of
        self._changed = asyncio.Event()
        for kind in (NewOrderEvent, PositionEvent, SyncEvent):
            trader.bus.subscribe(kind, lambda _: self._changed.set())

    @property
    def wanted(self) -> list[Contract]:
        """What is held or works, and is not watched yet, in order of contract id."""
        portfolio, today = self._trader.portfolio, self._trader.clock.now().date()
        known = {p.contract.con_id: p.contract for p in portfolio.positions.values()}
        known |= {o.spec.contract.con_id: o.spec.contract for o in portfolio.orders.values()}
        return [known[c] for c in sorted(known) if self._watched.get(c) != today]

    async def work(self) -> None:
        """Ask for what is wanted, as it comes to be wanted; never returns."""
        while True:
            self._changed.clear()
            for contract in self.wanted:
                await self._watch(contract)
            try:
                async with asyncio.timeout(AGAIN):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _watch(self, contract: Contract) -> None:
        """Learn the contract's hours and grid of the day, and have its prices sent."""
        trader = self._trader
        try:
            await trader.learn(ticker(contract), currency=contract.currency)
            quote = await trader.price(contract, timeout=QUOTE_TIMEOUT)
        except (AmbiguousContract, BrokerUnavailable) as error:
            logger.warning("no prices of %s yet: %s", contract.symbol, error.message)
            return
        if quote is not None:
            self._watched[contract.con_id] = trader.clock.now().date()
