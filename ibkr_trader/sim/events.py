"""What the exchange reports, in order: one event for each message a TWS session would send.

The session layer turns each into frames for whoever may hear it; `SimulatedBroker` turns
each into a core event. Every event carries values as they were at that moment.
"""

from datetime import datetime
from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.sim.account import PositionRecord
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.orders import Execution, SimOrder


class SimEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened at the exchange at `at` (UTC)."""

    at: datetime


@final
class OrderShown(SimEvent, frozen=True, kw_only=True):
    """An openOrder (5): the order's terms and state."""

    order: SimOrder


@final
class StatusShown(SimEvent, frozen=True, kw_only=True):
    """An orderStatus (3)."""

    order: SimOrder


@final
class Executed(SimEvent, frozen=True, kw_only=True):
    """An execDetails (11); `order` is as this fill left it."""

    order: SimOrder
    execution: Execution


@final
class CommissionPosted(SimEvent, frozen=True, kw_only=True):
    """A commissionReport (59)."""

    execution: Execution


@final
class Noticed(SimEvent, frozen=True, kw_only=True):
    """An error or notice (4) about an order, for the client that asked."""

    client_id: int
    order_id: int
    code: int
    text: str


@final
class PositionChanged(SimEvent, frozen=True, kw_only=True):
    """A position (61) and a portfolioValue (7): after every fill; quantity 0 is closed."""

    position: PositionRecord


@final
class AccountChanged(SimEvent, frozen=True, kw_only=True):
    """Cash or margins moved: ask `exchange.account` for the values (6)."""

    cash: Decimal


@final
class QuoteChanged(SimEvent, frozen=True, kw_only=True):
    """A watched instrument's market changed: ticks for its subscribers."""

    con_id: int
    tape: Tape


@final
class DayRolled(SimEvent, frozen=True, kw_only=True):
    """Midnight in New York: yesterday's executions and completed orders are gone."""
