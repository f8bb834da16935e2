"""How trading went, by its round trips: won and lost, and the sum as it grew."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

import msgspec

from ibkr_trader.portfolio.forensics import Trip
from ibkr_trader.portfolio.results import Record


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """The round trips in one currency.

    Attributes:
        record: How many gained and lost, and how much on average.
        net: What all of them brought, commissions taken off.
        commission: What was taken off, as far as it is known.
        curve: The sum after each of them, in the order of their ends.
    """

    currency: str
    record: Record
    net: Decimal
    commission: Decimal
    curve: tuple[Decimal, ...]

    @property
    def win_rate(self) -> Decimal:
        """Which part of them gained."""
        return Decimal(self.record.wins) / self.record.count


def performance(trips: Iterable[Trip]) -> tuple[Performance, ...]:
    """Return how the trips went, one for each currency: amounts in different money are no sum."""
    groups: dict[str, list[Trip]] = {}
    for one in trips:
        groups.setdefault(one.contract.currency, []).append(one)
    return tuple(_performance(currency, groups[currency]) for currency in sorted(groups))


def _performance(currency: str, trips: list[Trip]) -> Performance:
    curve = tuple(accumulate(one.net for one in trips))
    return Performance(
        currency=currency,
        record=Record.of(one.trip for one in trips),
        net=curve[-1],
        commission=sum((one.trip.commission for one in trips), Decimal(0)),
        curve=curve,
    )
