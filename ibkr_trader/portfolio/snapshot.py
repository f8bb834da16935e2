"""What the broker says is true at one moment: the answer that a recovery starts from."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ibkr_trader.core.models import AccountValues, Fill, Order, Position


class BrokerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, fills, positions and cash, every part asked and answered in one epoch.

    Attributes:
        epoch: The connection it was taken on; it counts up and never repeats.
        open_orders: Every client's working orders, foreign ones marked.
        completed_orders: Today's closed orders. The broker states neither id nor client
            for them: they are told by our order id.
        fills: Today's executions, latest revisions.
    """

    epoch: int
    at: datetime
    account: str
    open_orders: tuple[Order, ...] = ()
    completed_orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    positions: tuple[Position, ...] = ()
    values: AccountValues | None = None
