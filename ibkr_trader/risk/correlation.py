"""Which symbols move together: coefficients of daily returns, as a value with an age.

Computed now and then from daily bars, kept in a file, and looked up by the checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import combinations, pairwise
from types import MappingProxyType
from typing import NamedTuple

import msgspec


class Triangle(Mapping[tuple[str, str], float]):
    """The coefficients of every pair of some symbols, without a key for each of them.

    `values` are those of `combinations(symbols, 2)`; the symbols are in order, each once.

    Raises:
        ValueError: If there is not exactly one coefficient for each pair, or the symbols are
            not in order.
    """

    def __init__(self, symbols: Sequence[str], values: Sequence[float]) -> None:
        count = len(symbols)
        if len(values) != count * (count - 1) // 2:
            raise ValueError(f"{len(values)} coefficients do not make a matrix of {count} symbols")
        if any(a >= b for a, b in pairwise(symbols)):
            raise ValueError("the symbols of a matrix must be in order, each once")
        self._symbols, self._values = symbols, values
        self._place = {symbol: number for number, symbol in enumerate(symbols)}

    def __getitem__(self, pair: tuple[str, str]) -> float:
        row, column = self._place[pair[0]], self._place[pair[1]]
        if row >= column:
            raise KeyError(pair)
        return self._values[row * (2 * len(self._symbols) - row - 1) // 2 + column - row - 1]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return combinations(self._symbols, 2)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def flat(self) -> Sequence[float]:
        """The coefficients alone, in the order of the pairs."""
        return self._values


class CorrelationMatrix(msgspec.Struct, frozen=True, kw_only=True):
    """The correlations of some symbols, each pair once, the names of a pair in order.

    Attributes:
        computed_at: When; in UTC.
        lookback: How many sessions were asked for.
        symbols: Those that are in it.
        coefficients: From -1 to 1, by pair; a symbol with itself is always 1.
        ranges: Each symbol's average daily range, as a fraction of its price.
        left_out: Symbols that were asked for and have none, each with the reason.
        sessions: How many returns each coefficient is of.
        first, last: The sessions between which they lie; None if there are none.
        inputs: A short name for exactly the closes that it was computed from.
    """

    computed_at: datetime
    lookback: int
    symbols: tuple[str, ...] = ()
    coefficients: Mapping[tuple[str, str], float] = MappingProxyType({})
    ranges: Mapping[str, Decimal] = MappingProxyType({})
    left_out: Mapping[str, str] = MappingProxyType({})
    sessions: int = 0
    first: date | None = None
    last: date | None = None
    inputs: str = ""

    def get_correlation(self, symbol_a: str, symbol_b: str) -> float | None:
        """Return the coefficient of two symbols; None if one of them is not in it."""
        if symbol_a == symbol_b:
            return 1.0 if symbol_a in self.symbols else None
        pair = (symbol_a, symbol_b) if symbol_a < symbol_b else (symbol_b, symbol_a)
        return self.coefficients.get(pair)

    def get_correlated_symbols(self, symbol: str, threshold: float = 0.7) -> list[str]:
        """Return the other symbols that move with `symbol`, or against it, the closest first."""
        found = [
            (abs(value), other)
            for other in self.symbols
            if other != symbol
            and (value := self.get_correlation(symbol, other)) is not None
            and abs(value) >= threshold
        ]
        return [other for _, other in sorted(found, key=lambda one: (-one[0], one[1]))]

    def pairs(self) -> Iterable[tuple[tuple[str, str], float]]:
        """Return every pair with its coefficient."""
        if isinstance(self.coefficients, Triangle):
            return zip(self.coefficients, self.coefficients.flat, strict=True)
        return self.coefficients.items()

    def is_stale(self, now: datetime, ttl: timedelta) -> bool:
        """Whether it is too old to rely on; so is one from the future, by a clock set back."""
        return abs(now - self.computed_at) > ttl


class Near(NamedTuple):
    """The symbols that move with one (itself among them), and those that move against it."""

    alike: tuple[str, ...]
    against: tuple[str, ...] = ()


def neighbours(matrix: CorrelationMatrix, threshold: Decimal) -> Mapping[str, Near]:
    """Return whom each symbol of `matrix` moves with, from `threshold` on, and against whom."""
    least = float(threshold)
    alike: dict[str, list[str]] = {symbol: [symbol] for symbol in matrix.symbols}
    against: dict[str, list[str]] = {symbol: [] for symbol in matrix.symbols}
    for (a, b), value in matrix.pairs():
        if value >= least:
            alike[a].append(b)
            alike[b].append(a)
        elif -value >= least:
            against[a].append(b)
            against[b].append(a)
    return {symbol: Near(tuple(alike[symbol]), tuple(against[symbol])) for symbol in alike}
