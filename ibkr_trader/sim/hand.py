"""A person at TWS, on the same account: what somebody types there, clients did not ask for."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.sim import acceptance
from ibkr_trader.sim.changing import modify
from ibkr_trader.sim.door import Door, NotThere, Refused
from ibkr_trader.sim.events import Noticed, SimEvent
from ibkr_trader.sim.life import cancel
from ibkr_trader.sim.matching import TRAIL_TYPES
from ibkr_trader.sim.orders import OrderKey, OrderTerms, Refusal

CLIENT = 0  # TWS shows orders entered by hand as client 0's
replace = msgspec.structs.replace


class Hand(Door):
    """Places, changes, cancels and closes by hand; orders are named by their permanent ids."""

    def place(self, terms: OrderTerms, *, now: datetime) -> list[SimEvent]:
        """Enter an order: of client 0, with an order id below zero and without a reference.

        Raises:
            Refused: If TWS would not take it; nothing is left of it.
        """
        self._reach(now)
        key = OrderKey(CLIENT, -self._pit.next_perm_id)
        account = terms.account or self._pit.config.account
        acceptance.place(
            self._pit, key, replace(terms, account=account, order_ref="", transmit=True)
        )
        if key not in self._pit.ledger.orders:
            raise Refused(self._last_refusal(key))
        return self._finish()

    def modify(
        self,
        perm_id: int,
        *,
        now: datetime,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trail_amount: Decimal | None = None,
        trail_percent: Decimal | None = None,
        tif: str | None = None,
    ) -> list[SimEvent]:
        """Change anybody's open order; what is None stays. Its client hears of the new terms.

        Raises:
            NotThere: If no open order has this permanent id.
            Refused: If TWS would not change it; it works as before.
        """
        self._reach(now)
        order = self._order(perm_id)
        stop = "trail_stop_price" if order.terms.order_type in TRAIL_TYPES else "aux_price"
        wanted: dict[str, Decimal | str | None] = {
            "quantity": quantity,
            "limit_price": limit_price,
            stop: stop_price,
            "tif": tif,
        }
        terms = replace(
            order.terms,
            transmit=True,
            **{name: value for name, value in wanted.items() if value is not None},
        )
        if trail_amount is not None or trail_percent is not None:  # one takes the other's place
            terms = replace(terms, aux_price=trail_amount, trailing_percent=trail_percent)
        refusal = modify(self._pit, order, terms)
        if refusal is not None:
            raise Refused(refusal)
        return self._finish()

    def cancel(self, perm_id: int, *, now: datetime) -> list[SimEvent]:
        """Take anybody's open order back.

        Raises:
            NotThere: If no open order has this permanent id.
        """
        self._reach(now)
        cancel(self._pit, self._order(perm_id), by_hand=True)
        return self._finish()

    def close(
        self, con_id: int, *, quantity: Decimal | None = None, now: datetime
    ) -> list[SimEvent]:
        """Trade against a position at the market: all of it, or `quantity`, and be it more.

        Raises:
            NotThere: If nothing is held.
            Refused: If TWS would not take the order.
        """
        self._reach(now)
        held = self._pit.account.positions.get(con_id)
        if held is None or not held.quantity:
            raise NotThere(f"nothing is held of {con_id}")
        terms = OrderTerms(
            con_id=con_id,
            action="SELL" if held.quantity > 0 else "BUY",
            quantity=abs(held.quantity) if quantity is None else quantity,
            order_type="MKT",
        )
        return self.place(terms, now=now)

    def _last_refusal(self, key: OrderKey) -> Refusal:
        said = [event for event in self._pit.out if isinstance(event, Noticed)]
        last = next(e for e in reversed(said) if OrderKey(e.client_id, e.order_id) == key)
        self._pit.out.remove(last)  # it is told to the person, and to no client
        return Refusal(code=last.code, text=last.text)
