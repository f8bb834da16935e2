"""What trading has brought, trip by trip: from flat to flat, by executions alone.

The record that Kelly's rule asks for. A trip counts once it is over, with its commissions; a
position that was there before the first execution we know of is left out.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO, Contract
from ibkr_trader.portfolio.positions import Book, signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import Fill


class RoundTrip(msgspec.Struct, frozen=True, kw_only=True):
    """One position from its opening to its end.

    Attributes:
        gain: What it brought, commissions taken off where they are known.
        closed_at: When it was flat again, in UTC.
    """

    contract: Contract
    gain: Decimal
    closed_at: datetime


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


def round_trips(fills: Iterable[Fill], strays: Iterable[int] = ()) -> tuple[RoundTrip, ...]:
    """Return the trips that are over, in the order in which they ended.

    Args:
        fills: Executions in their latest revisions, in any order.
        strays: Contracts (by con_id) of which something was held before the first of them:
            they count from the first moment at which they are known to be flat, which is
            never; so they are left out.
    """
    left_out = frozenset(strays)
    books: dict[int, Book] = {}
    paid: dict[int, Decimal] = {}
    before: dict[int, Decimal] = {}
    found: list[RoundTrip] = []
    for fill in sorted(fills, key=lambda one: (one.at, one.fill_id)):
        con_id = fill.contract.con_id
        if con_id in left_out:
            continue
        book = books.get(con_id) or Book.open(fill.account, fill.contract)
        held = book.position.quantity
        after = book.after(fill)
        books[con_id] = after
        paid[con_id] = paid.get(con_id, ZERO) + (fill.commission or ZERO)
        if held and (held + signed(fill)) * held <= 0:
            made = after.position.realized_pnl - before.get(con_id, ZERO)
            found.append(
                RoundTrip(contract=fill.contract, gain=made - paid[con_id], closed_at=fill.at)
            )
            before[con_id], paid[con_id] = after.position.realized_pnl, ZERO
    return tuple(found)
