"""What the broker says is true at one moment: the answer that a recovery starts from."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ibkr_trader.core.models import AccountValues, Fill, Order, Position


class BrokerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, fills, positions and cash, every part asked and answered in one epoch.

    Attributes:
        epoch: Since when everything was asked anew; it counts up and never repeats.
        dialled: The epoch with which its connection began; 0 if that is its own. What else makes
            us ask anew (1102, a message that nobody could read) leaves the same line there, and
            whatever the gateway holds back that came by it.
        open_orders: Every client's working orders, foreign ones marked.
        completed_orders: Today's closed orders. The broker states neither id nor client
            for them: they are told by our order id.
        fills: Today's executions, latest revisions.
    """

    epoch: int
    dialled: int = 0
    at: datetime
    account: str
    open_orders: tuple[Order, ...] = ()
    completed_orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    positions: tuple[Position, ...] = ()
    values: AccountValues | None = None

    @property
    def line(self) -> int:
        """The epoch with which its connection began."""
        return self.dialled or self.epoch

    def tells_absence(self, order: Order, *, sent_in: int) -> bool:
        """Whether it says anything that an order is not in it, which was sent in that epoch.

        It does on a connection made after the order was sent. What the broker has acknowledged
        waits for nobody in there: of that a new epoch will do.
        """
        seen = self.epoch if order.perm_id else self.line
        return seen > sent_in
