"""An order's luck, decided from outside: it trades now, whatever the market does.

Races are decided at the exchange, so whoever rehearses one has to be able to decide it there: so
many shares trade, and then the cancel arrives that was on its way.
"""

from datetime import datetime
from decimal import Decimal

from ibkr_trader.sim.door import Door
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.matching import Trade
from ibkr_trader.sim.oca import execute
from ibkr_trader.sim.orders import SimOrder

_ADDED = 1  # a resting order's fills are somebody else's doing


class Forcing(Door):
    """Makes orders trade; they are named by their permanent ids."""

    def trade(
        self, perm_id: int, *, quantity: Decimal | None = None, now: datetime
    ) -> list[SimEvent]:
        """Make so much of a working order trade: at its limit, else at its stop, else the market.

        All of it without a quantity, never more than is left, and nothing of an order that
        waits: for its parent, for shares, for the opening.

        Raises:
            NotThere: If no open order has this permanent id.
        """
        self._reach(now)
        order = self._order(perm_id)
        price = _price(order, self._pit.feed.tape(order.terms.con_id))
        wanted = order.remaining if quantity is None else min(quantity, order.remaining)
        if wanted > 0 and price is not None and not order.is_held:
            execute(self._pit, order, Trade(price=price, quantity=wanted, liquidity=_ADDED))
        return self._finish()


def _price(order: SimOrder, tape: Tape) -> Decimal | None:
    touch = tape.ask if order.side.sign > 0 else tape.bid
    return order.terms.limit_price or order.stop_price or touch or tape.last
