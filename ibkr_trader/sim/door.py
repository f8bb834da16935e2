"""What every door of the exchange has, for those who are not its clients."""

from collections.abc import Callable
from datetime import datetime

from ibkr_trader.sim import trading
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.orders import Refusal, SimOrder
from ibkr_trader.sim.pit import Pit
from ibkr_trader.sim.register import by_perm_id


class NotThere(LookupError):
    """No such order, execution or instrument; the message names it."""


class Refused(Exception):
    """The exchange would not have it.

    Attributes:
        refusal: TWS's code and text.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.text}")
        self.refusal = refusal


class Door:
    """A way to act on the exchange; each act returns what followed, in order, as events."""

    def __init__(
        self,
        pit: Pit,
        reach: Callable[[datetime], None],
        finish: Callable[[], list[SimEvent]],
    ) -> None:
        self._pit = pit
        self._reach = reach
        self._finish_call = finish

    def _finish(self) -> list[SimEvent]:
        """Let orders meet what was changed by hand, and return all that followed."""
        trading.reach(self._pit, self._pit.now)
        return self._finish_call()

    def _order(self, perm_id: int) -> SimOrder:
        """Return an open order.

        Raises:
            NotThere: If there is none with this permanent id.
        """
        order = by_perm_id(self._pit.ledger, perm_id)
        if order is None or order.status.is_closed:
            raise NotThere(f"no open order has the permanent id {perm_id}")
        return order
