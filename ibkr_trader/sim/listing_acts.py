"""What becomes of what is listed: other tickers, other numbers, and the end of a listing.

The names are the gateway's own until it is started again, as those of a contract file are.
"""

from datetime import datetime

import msgspec

from ibkr_trader.sim import refusals
from ibkr_trader.sim.account import PositionRecord
from ibkr_trader.sim.door import Door
from ibkr_trader.sim.events import PositionChanged, SimEvent
from ibkr_trader.sim.life import cancel
from ibkr_trader.sim.orders import ZERO

replace = msgspec.structs.replace


class ListingActs(Door):
    """Acts on the listing of one instrument, named by its con_id."""

    def rename(self, con_id: int, *, symbol: str, now: datetime) -> list[SimEvent]:
        """Give an instrument another ticker: its number, its orders and its position stay."""
        self._reach(now)
        self._pit.universe.relist(con_id, symbol)
        return self._finish()

    def delist(self, con_id: int, *, now: datetime) -> list[SimEvent]:
        """End a listing: nobody finds it any more, its orders are cancelled, nothing trades.

        What is held stays held, and is not quoted.
        """
        self._reach(now)
        self._end(con_id)
        return self._finish()

    def convert(self, con_id: int, *, into: int, now: datetime) -> list[SimEvent]:
        """Turn what is held of one instrument into as much of another, and delist the first.

        No execution is reported, as in a merger.
        """
        self._reach(now)
        self._end(con_id)
        account = self._pit.account
        before = account.positions.get(con_id)
        if before is not None and before.quantity:
            there = account.positions.get(into) or PositionRecord(
                con_id=into, quantity=ZERO, cost=ZERO
            )
            moved = replace(
                there,
                quantity=there.quantity + before.quantity,
                cost=there.cost + before.cost,
            )
            for after in (replace(before, quantity=ZERO, cost=ZERO), moved):
                account.positions[after.con_id] = after
                self._pit.dirty_positions.add(after.con_id)
                self._pit.out.append(PositionChanged(at=self._pit.now, position=after))
        self._pit.dirty_account = True
        return self._finish()

    def _end(self, con_id: int) -> None:
        for key in tuple(self._pit.ledger.open):
            order = self._pit.order(key)
            if order is not None and order.terms.con_id == con_id:
                cancel(self._pit, order, reason=refusals.CORPORATE_ACTION)
        self._pit.feed.stop(con_id, halted=True)
        self._pit.universe.relist(con_id)
