"""What was counted of a day's messages and failures: facts that carry their sums along."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.core.models import GroupId, OrderId


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """What one day's orders came to, as the broker counts it; `since` is when the day began.

    `executions` are the orders that traded, each once.
    """

    since: datetime
    orders: int = 0
    changes: int = 0
    cancels: int = 0
    executions: int = 0

    @property
    def ratio(self) -> Decimal:
        """Messages for each order that traded (one more than did, as IBKR counts)."""
        return Decimal(self.messages) / (self.executions + 1)

    @property
    def messages(self) -> int:
        """All that was sent: orders, changes and cancels."""
        return self.orders + self.changes + self.cancels


class Refusal(msgspec.Struct, frozen=True):
    """The broker refused an opening order in `symbol`."""

    at: datetime
    symbol: str


class Awaited(msgspec.Struct, frozen=True):
    """An order that nobody has answered yet: with which command it went, whether it opens."""

    command: str
    opens: bool


class Strikes(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong lately at the broker: see `risk/breaker.py`.

    Attributes:
        refusals: Of opening orders, oldest first.
        unanswered: Commands that nobody answered, since the last answer to any.
        waiting: Orders whose first answer is still to come.
    """

    refusals: tuple[Refusal, ...] = ()
    unanswered: tuple[str, ...] = ()
    waiting: Mapping[OrderId, Awaited] = msgspec.field(default_factory=dict)


class StrategyDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy's orders came to on one day: its entries, and every message of theirs."""

    traffic: Traffic
    entries: int = 0


class StrategyDays(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint keeps of strategies: whose the orders and positions are.

    Attributes:
        since: When the day began that `days` counts.
        days: By strategy; the empty name stands for nobody's.
        groups: Whose the orders of a group are, where a strategy opened it.
        strangers: Entries in such groups that somebody else sent.
        bases: Who opened what the ledgers begin with, by con_id, where a strategy did.
    """

    since: datetime
    days: Mapping[str, StrategyDay] = msgspec.field(default_factory=dict)
    groups: Mapping[GroupId, str] = msgspec.field(default_factory=dict)
    strangers: tuple[OrderId, ...] = ()
    bases: Mapping[int, str] = msgspec.field(default_factory=dict)
