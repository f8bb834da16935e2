"""What trading has brought, trip by trip: from flat to flat, by executions alone.

The record that Kelly's rule asks for. A trip counts once it is over, with its commissions; a
position that was there before the first execution we know of is left out.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.core.events import CommissionEvent, FillEvent
from ibkr_trader.core.models import ZERO, Contract, OrderId
from ibkr_trader.portfolio.positions import place, signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import Fill, FillId


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one order traded of a trip; `value` is the sum of quantity x price."""

    order_id: OrderId
    side: Side
    quantity: Decimal
    value: Decimal


class RoundTrip(msgspec.Struct, frozen=True, kw_only=True):
    """One position from its opening to its end.

    Attributes:
        gain: What it brought, commissions taken off where they are known.
        commission: What was taken off.
        opened_at: When it was opened, in UTC.
        closed_at: When it was flat again, in UTC.
        parts: What each order traded of it; the first one opened it.
    """

    contract: Contract
    gain: Decimal
    commission: Decimal
    opened_at: datetime
    closed_at: datetime
    parts: tuple[Part, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Trips added up: how many gained, how many lost, and how much on average.

    What came to exactly nothing counts as a loss of nothing.
    """

    wins: int = 0
    losses: int = 0
    average_win: Decimal = ZERO
    average_loss: Decimal = ZERO  # positive

    @classmethod
    def of(cls, trips: Iterable[RoundTrip]) -> Record:
        """Return the record of these trips."""
        gains = [trip.gain for trip in trips]
        won = [gain for gain in gains if gain > 0]
        lost = [-gain for gain in gains if gain <= 0]
        return cls(
            wins=len(won),
            losses=len(lost),
            average_win=sum(won, ZERO) / len(won) if won else ZERO,
            average_loss=sum(lost, ZERO) / len(lost) if lost else ZERO,
        )

    @property
    def count(self) -> int:
        """How many trips there are."""
        return self.wins + self.losses


def charged(messages: Iterable[object]) -> tuple[Fill, ...]:
    """Return every execution that is told of, in its latest revision, with what it cost.

    What an execution cost is told after it; what else the messages are is passed over.
    """
    fills: dict[FillId, Fill] = {}
    costs: dict[str, Decimal] = {}
    for one in messages:
        if isinstance(one, FillEvent):
            known = fills.get(one.fill.fill_id)
            if known is None or one.fill.revision >= known.revision:
                fills[one.fill.fill_id] = one.fill
        elif isinstance(one, CommissionEvent):
            costs[one.fill_id] = one.commission
    return tuple(
        msgspec.structs.replace(one, commission=costs.get(one.fill_id, one.commission))
        for one in fills.values()
    )


def round_trips(fills: Iterable[Fill], strays: Iterable[int] = ()) -> tuple[RoundTrip, ...]:
    """Return the trips that are over, in the order in which they ended.

    Args:
        fills: Executions in their latest revisions, in any order.
        strays: Contracts (by con_id) of which something was held before the first of them:
            they count from the first moment at which they are known to be flat, which is
            never; so they are left out.
    """
    left_out = frozenset(strays)
    running: dict[int, _Trip] = {}
    found: list[RoundTrip] = []
    for fill in sorted(fills, key=place):
        con_id = fill.contract.con_id
        if con_id in left_out:
            continue
        trip = running.setdefault(con_id, _Trip())
        trip.paid += fill.commission or ZERO
        held = trip.held
        if not held or (held + signed(fill)) * held > 0:
            trip.trade(fill, fill.quantity)
            continue
        trip.trade(fill, abs(held))
        found.append(trip.ended(fill))
        running[con_id] = following = _Trip()
        following.trade(fill, fill.quantity - abs(held))
    return tuple(found)


class _Trip:
    """A trip under way; it does not outlive the call."""

    def __init__(self) -> None:
        self.held = self.paid = ZERO
        self.parts: dict[tuple[OrderId, Side], Part] = {}
        self.opened_at: datetime | None = None

    def trade(self, fill: Fill, quantity: Decimal) -> None:
        """Add what an execution has traded of it; the first one opens it."""
        if not quantity:
            return
        self.held += quantity * fill.side.sign
        self.opened_at = self.opened_at or fill.at
        key = fill.order_id, fill.side
        known = self.parts.get(key)
        self.parts[key] = Part(
            order_id=fill.order_id,
            side=fill.side,
            quantity=quantity + (known.quantity if known else ZERO),
            value=quantity * fill.price + (known.value if known else ZERO),
        )

    def ended(self, fill: Fill) -> RoundTrip:
        """Return the trip that `fill` has ended.

        From flat to flat it has brought what was sold less what was bought: no average, which
        would leave the rest of a division.
        """
        made = -sum((part.value * part.side.sign for part in self.parts.values()), ZERO)
        return RoundTrip(
            contract=fill.contract,
            gain=made * fill.contract.multiplier - self.paid,
            commission=self.paid,
            opened_at=self.opened_at or fill.at,
            closed_at=fill.at,
            parts=tuple(self.parts.values()),
        )
