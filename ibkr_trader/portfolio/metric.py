"""Figures for whoever watches from outside: families of counters, gauges and histograms.

They are values, as everything here: counting returns the next one. What stands in a label is
from a closed set or is bounded in number, and no account, order or symbol is ever one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from ibkr_trader.core.models import ZERO

Labels = tuple[tuple[str, str], ...]
OTHER = "other"  # stands for what is too much to be told apart


class Kind(StrEnum):
    """What a figure does as time passes."""

    COUNTER = "counter"  # only grows
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How often a figure was how large.

    Attributes:
        bounds: Where each bucket ends, itself included, in rising order.
        counts: How many fell into each bucket; the last one is of what is above all bounds.
        total: The sum of them all.
    """

    bounds: tuple[Decimal, ...]
    counts: tuple[int, ...]
    total: Decimal = ZERO

    @classmethod
    def of(cls, *bounds: str) -> Histogram:
        """Return an empty one with these bounds, in rising order."""
        return cls(bounds=tuple(Decimal(one) for one in bounds), counts=(0,) * (len(bounds) + 1))

    def plus(self, value: Decimal) -> Histogram:
        """Return it with one more figure counted."""
        place = bisect_left(self.bounds, value)
        counts = (*self.counts[:place], self.counts[place] + 1, *self.counts[place + 1 :])
        return Histogram(bounds=self.bounds, counts=counts, total=self.total + value)

    @property
    def count(self) -> int:
        """How many were counted in all."""
        return sum(self.counts)


class Sample(msgspec.Struct, frozen=True):
    """One figure of a family, told apart from the others by its labels."""

    value: Decimal | int | Histogram
    labels: Labels = ()


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one name; `words` say what it is."""

    name: str
    kind: Kind
    words: str
    samples: tuple[Sample, ...]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts by their labels, of which there are never more than `most` and one.

    A name that somebody outside chooses must not fill the memory of us, nor of who watches.
    """

    most: int = 100
    amounts: Mapping[Labels, Decimal] = {}

    def plus(self, amount: Decimal | int = 1, /, **labels: str) -> Tally:
        """Return it with an amount added."""
        place: Labels = tuple(labels.items())
        if place not in self.amounts and len(self.amounts) >= self.most:
            place = tuple((name, OTHER) for name in labels)
        after = self.amounts.get(place, ZERO) + amount
        return Tally(most=self.most, amounts={**self.amounts, place: after})

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All of it, in the order of first appearance."""
        return tuple(Sample(amount, labels) for labels, amount in self.amounts.items())
