"""The broker closes what the account may not hold any more: a liquidation."""

from datetime import datetime

from ibkr_trader.sim import acceptance
from ibkr_trader.sim.door import Door, NotThere
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.life import cancel
from ibkr_trader.sim.orders import OrderKey, OrderTerms

REASON = "liquidation"
_CLIENT = 0  # it is no client's: told as what is entered at TWS, under a number below zero


class Liquidator(Door):
    """Acts of the broker's risk desk."""

    def liquidate(self, con_id: int, *, now: datetime) -> list[SimEvent]:
        """Cancel every open order in a contract, and close what is held of it at the market.

        Its execution says that it is a liquidation; the clients whose orders went are told so.

        Raises:
            NotThere: If nothing is held.
        """
        self._reach(now)
        held = self._pit.account.positions.get(con_id)
        if held is None or not held.quantity:
            raise NotThere(f"nothing is held of {con_id}")
        for key in tuple(self._pit.ledger.open):
            order = self._pit.order(key)
            if order is not None and order.terms.con_id == con_id:
                cancel(self._pit, order, reason=REASON)
        terms = OrderTerms(
            con_id=con_id,
            action="SELL" if held.quantity > 0 else "BUY",
            quantity=abs(held.quantity),
            order_type="MKT",
            account=self._pit.config.account,
            is_liquidation=True,
        )
        acceptance.place(self._pit, OrderKey(_CLIENT, -self._pit.next_perm_id), terms)
        return self._finish()
