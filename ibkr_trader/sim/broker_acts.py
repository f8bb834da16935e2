"""What the broker does of itself: corrections, rejections, time-outs, locates, slow links."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.sim.corrections import correct, latest
from ibkr_trader.sim.door import Door, NotThere
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.floor_rules import Rejection
from ibkr_trader.sim.life import cancel, release
from ibkr_trader.sim.orders import ZERO, Execution

replace = msgspec.structs.replace


class BrokerActs(Door):
    """Acts on executions and orders that nobody asked for."""

    def correct(
        self,
        exec_id: str,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        now: datetime,
    ) -> list[SimEvent]:
        """Report another quantity or price of an execution of today: `….01` becomes `….02`.

        A quantity of 0 is a bust.

        Raises:
            NotThere: If there was no such execution today.
            ValueError: If the figures make no sense.
        """
        for what, figure in (("quantity", quantity), ("price", price)):
            if figure is not None and not (figure.is_finite() and figure >= ZERO):
                raise ValueError(f"the {what} {figure} makes no sense")
        self._reach(now)
        old = self._execution(exec_id)
        shares = old.shares if quantity is None else quantity
        correct(
            self._pit,
            old,
            shares=shares,
            price=old.price if price is None else price,
            fee=old.commission if shares else ZERO,
        )
        return self._finish()

    def bust(self, exec_id: str, *, now: datetime) -> list[SimEvent]:
        """Annul an execution of today: its next revision is of no shares, its cost is paid back.

        Raises:
            NotThere: If there was no such execution today.
        """
        self._reach(now)
        old = self._execution(exec_id)
        correct(self._pit, old, shares=ZERO, price=old.price, fee=ZERO)
        return self._finish()

    def time_out(
        self, perm_id: int, *, reason: str = "Order timed out.", now: datetime
    ) -> list[SimEvent]:
        """Cancel an order unasked: `Cancelled`, and 202 with the reason.

        Raises:
            NotThere: If no open order has this permanent id.
        """
        self._reach(now)
        cancel(self._pit, self._order(perm_id), reason=reason)
        return self._finish()

    def reject(self, rejection: Rejection, *, now: datetime) -> list[SimEvent]:
        """Refuse the next orders, or changes of orders, whose reference fits."""
        self._reach(now)
        rules = self._pit.rules
        self._pit.rules = replace(rules, rejections=(*rules.rejections, rejection))
        return self._finish()

    def locate(self, con_id: int, *, seconds: int | None, now: datetime) -> list[SimEvent]:
        """Say how long short sales that need a locate will wait; None is for ever.

        It is for instruments whose shares must be located (`LOCT`), and for orders to come.
        """
        self._reach(now)
        locates = {**self._pit.rules.locates, con_id: seconds}
        self._pit.rules = replace(self._pit.rules, locates=locates)
        return self._finish()

    def find_shares(self, con_id: int, *, now: datetime) -> list[SimEvent]:
        """Let every short sale go that waits for shares of an instrument."""
        self._reach(now)
        for order in [self._pit.ledger.orders[key] for key in self._pit.ledger.open]:
            if order.terms.con_id == con_id and order.why_held == "locate":
                release(self._pit, order)
        return self._finish()

    def slow_oca(self, *types: int, now: datetime) -> list[SimEvent]:
        """Have the links of these OCA types (1, 2, 3) work a second late; of none: all at once."""
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, slow_oca=types)
        return self._finish()

    def _execution(self, exec_id: str) -> Execution:
        found = latest(self._pit, exec_id)
        if found is None:
            raise NotThere(f"there was no execution {exec_id} today")
        return found
