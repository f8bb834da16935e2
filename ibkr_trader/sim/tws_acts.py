"""What TWS itself does to orders and to the day's books: it restarts, the date changes."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ibkr_trader.sim import acceptance
from ibkr_trader.sim.door import Door
from ibkr_trader.sim.events import SimEvent, StatusShown
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.floor_rules import Nap
from ibkr_trader.sim.life import rearrange
from ibkr_trader.sim.orders import OrderKey, SimStatus

replace = msgspec.structs.replace


class TwsActs(Door):
    """Acts of the program between clients and broker."""

    def forget_untransmitted(self, *, now: datetime) -> list[SimEvent]:
        """Lose every order that was placed and never transmitted, without a word."""
        self._reach(now)
        ledger = self._pit.ledger
        for key in [key for key in ledger.open if not ledger.orders[key].is_visible]:
            ledger.forget(key)
        return self._finish()

    def roll_over(self, *, now: datetime) -> list[SimEvent]:
        """Forget the day's executions and closed orders, as midnight does; all else stays."""
        self._reach(now)
        self._pit.ledger.roll(now)
        return self._finish()

    def choose_bracket_mode(self, mode: BracketMode | None, *, now: datetime) -> list[SimEvent]:
        """Have exits of partly filled entries behave so from now on; None is as configured."""
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, bracket_mode=mode)
        for key in tuple(self._pit.ledger.open):
            if key in self._pit.ledger.children:
                rearrange(self._pit, key)
        return self._finish()

    def put_to_sleep(self, nap: Nap, *, now: datetime) -> list[SimEvent]:
        """Tell that the next order that fits is Inactive, and let it go live later.

        Raises:
            ValueError: It would wake before it sleeps.
        """
        if nap.seconds is not None and nap.seconds < 1:
            raise ValueError("an order is inactive for a second at least")
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, naps=(*self._pit.rules.naps, nap))
        return self._finish()

    def tell_numbers(self, client_id: int, order_ids: Iterable[int]) -> None:
        """Note the ids of orders that a client was told of: its next order needs a higher one.

        TWS asks for that of whoever asked for everybody's orders (`reqAllOpenOrders`).
        """
        for order_id in order_ids:
            self._pit.ledger.see(OrderKey(client_id, order_id), is_used=True)

    def delay_cancel(self, perm_id: int, *, now: datetime) -> list[SimEvent]:
        """Say `PendingCancel` of an order, now and whenever it is listed; it works on.

        Raises:
            NotThere: If no open order has this permanent id.
        """
        self._reach(now)
        pending = self._pit.put(replace(self._order(perm_id), status=SimStatus.PENDING_CANCEL))
        self._pit.out.append(StatusShown(at=self._pit.now, order=pending))
        return self._finish()

    def double(self, perm_id: int, *, now: datetime) -> list[SimEvent]:
        """Let an order live twice: with a second permanent id, and the same reference.

        The double is client 0's, with an order id below zero: its client hears nothing of it.

        Raises:
            NotThere: If no open order has this permanent id.
        """
        self._reach(now)
        order = self._order(perm_id)
        key = OrderKey(0, -self._pit.next_perm_id)
        terms = replace(order.terms, transmit=True, parent_id=0, oca_group="", oca_type=0)
        acceptance.place(self._pit, key, terms)
        return self._finish()
