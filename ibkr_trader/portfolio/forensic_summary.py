"""Executions and trips added up: by rule, by symbol, or by the hour in which they were sent.

Amounts in different money are no sum, so each group is of one currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec

from ibkr_trader.core.contracts import label
from ibkr_trader.core.models import ZERO, Contract
from ibkr_trader.portfolio.forensics import (
    UNKNOWN_ORIGIN,
    Execution,
    Latency,
    Shortfall,
    Trip,
)

_BASIS_POINTS = 10_000
T = TypeVar("T")


class By(StrEnum):
    """What executions are grouped by."""

    RULE = "rule"
    SYMBOL = "symbol"
    HOUR = "hour"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How long a stage took: in the middle, and for 95 of 100 at most."""

    count: int
    median: timedelta
    p95: timedelta

    @classmethod
    def of(cls, lengths: Iterable[timedelta]) -> Spread | None:
        """Return the spread of these; None of none. The 95th is one of them (nearest rank)."""
        known = sorted(lengths)
        if not known:
            return None
        half, rank = len(known) // 2, -(-95 * len(known) // 100)
        median = known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2
        return cls(count=len(known), median=median, p95=known[rank - 1])


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Shortfalls added up; `value` is what was traded, at the prices they are measured by."""

    count: int
    money: Decimal
    value: Decimal

    @classmethod
    def of(cls, shortfalls: Iterable[Shortfall | None]) -> Cost | None:
        """Return the sum of those that are known; None if none is."""
        known = [one for one in shortfalls if one is not None]
        if not known:
            return None
        money = sum((one.money for one in known), ZERO)
        return cls(count=len(known), money=money, value=sum((one.value for one in known), ZERO))

    @property
    def mean(self) -> Decimal:
        """The shortfall of one order, on average."""
        return self.money / self.count

    @property
    def bp(self) -> Decimal:
        """Basis points, each order weighing what it was worth."""
        return self.money / self.value * _BASIS_POINTS


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the orders of one group came to.

    Attributes:
        key: The rule, the symbol or the hour.
        filled: How many of its `count` orders traded at all.
        latencies: Of each stage; of what waits for the market by its nature, not its wait.
        shortfall: Shortfalls, each against the first price that is known; no commissions.
        against_signal: Shortfalls against signals' prices.
        against_decision: The same against the market's price when a rule decided.
        slippage: Of stops, against their triggers.
        commission: As far as it is known: of `uncharged` orders that traded it is not.
        trips: Round trips that its orders have opened, and that have ended; `wins` of them
            brought something.
        realized: What these brought before commissions.
        net: The same with commissions taken off.
        ideal: What they would have brought at the prices that their orders are measured by.
    """

    key: str
    currency: str
    count: int
    filled: int
    latencies: Mapping[Latency, Spread]
    shortfall: Cost | None
    against_signal: Cost | None
    against_decision: Cost | None
    slippage: Cost | None
    commission: Decimal
    uncharged: int
    submits: int
    changes: int
    cancels: int
    trips: int
    wins: int
    realized: Decimal
    net: Decimal
    ideal: Decimal

    @property
    def messages(self) -> int:
        """All that was sent: orders, changes, cancels."""
        return self.submits + self.changes + self.cancels

    @property
    def messages_per_fill(self) -> Decimal | None:
        """Messages for each order that traded; None if none did."""
        return Decimal(self.messages) / self.filled if self.filled else None

    @property
    def edge_is_eaten(self) -> bool:
        """Whether its trips would have gained, and execution and commissions took all of it."""
        return self.ideal > 0 >= self.net


def summary(
    executions: Iterable[Execution], trips: Iterable[Trip] = (), *, by: By, zone: tzinfo
) -> tuple[Summary, ...]:
    """Return what each group came to, in the order of their names.

    Args:
        executions: Orders, traded or not.
        trips: Round trips; each counts with the order that opened it.
        by: What they are grouped by.
        zone: In which hours are counted.
    """
    orders = _grouped(executions, lambda one: _place(one, by, zone))
    ended = _grouped(trips, lambda one: _home(one, by, zone))
    keys = sorted({*orders, *ended})
    return tuple(_summary(key, orders.get(key, ()), ended.get(key, ())) for key in keys)


def _grouped(
    found: Iterable[T], place: Callable[[T], tuple[str, str]]
) -> Mapping[tuple[str, str], Sequence[T]]:
    groups: dict[tuple[str, str], list[T]] = {}
    for one in found:
        groups.setdefault(place(one), []).append(one)
    return groups


def _place(one: Execution, by: By, zone: tzinfo) -> tuple[str, str]:
    contract = one.spec.contract
    key = one.rule if by is By.RULE else _other(contract, one.written_at, by=by, zone=zone)
    return key, contract.currency


def _home(one: Trip, by: By, zone: tzinfo) -> tuple[str, str]:
    if one.opener is not None:
        return _place(one.opener, by, zone)
    is_rule = by is By.RULE
    at = one.trip.opened_at
    key = UNKNOWN_ORIGIN if is_rule else _other(one.contract, at, by=by, zone=zone)
    return key, one.contract.currency


def _other(contract: Contract, at: datetime, *, by: By, zone: tzinfo) -> str:
    return label(contract) if by is By.SYMBOL else f"{at.astimezone(zone):%H}:00"


def _summary(key: tuple[str, str], orders: Sequence[Execution], trips: Sequence[Trip]) -> Summary:
    traded = [one for one in orders if one.filled]
    charged = [one.commission for one in traded if one.commission is not None]
    spreads = {name: Spread.of(_lengths(orders, name)) for name in Latency}
    return Summary(
        key=key[0],
        currency=key[1],
        count=len(orders),
        filled=len(traded),
        latencies={name: one for name, one in spreads.items() if one is not None},
        shortfall=Cost.of(one.shortfall for one in traded),
        against_signal=Cost.of(one.against_signal for one in traded),
        against_decision=Cost.of(one.against_decision for one in traded),
        slippage=Cost.of(one.slippage for one in traded),
        commission=sum(charged, ZERO),
        uncharged=len(traded) - len(charged),
        submits=sum(one.submits for one in orders),
        changes=sum(one.changes for one in orders),
        cancels=sum(one.cancels for one in orders),
        trips=len(trips),
        wins=sum(one.net > 0 for one in trips),
        realized=sum((one.realized for one in trips), ZERO),
        net=sum((one.net for one in trips), ZERO),
        ideal=sum((one.ideal for one in trips), ZERO),
    )


def _lengths(orders: Iterable[Execution], name: Latency) -> list[timedelta]:
    """How long a stage took for each order of which that says something."""
    is_wait = name is Latency.FILL
    found = (one.latencies.get(name) for one in orders if not (is_wait and one.waits))
    return [length for length in found if length is not None]
