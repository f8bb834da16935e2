"""Which symbols move together: coefficients of daily returns, as a value with an age.

Computed now and then from daily bars, kept in a file, and looked up by the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

import msgspec


class CorrelationMatrix(msgspec.Struct, frozen=True, kw_only=True):
    """The correlations of some symbols, each pair once, the names of a pair in order.

    Attributes:
        computed_at: When; in UTC.
        lookback: How many sessions were asked for.
        symbols: Those that are in it.
        coefficients: From -1 to 1, by pair; a symbol with itself is always 1.
        ranges: Each symbol's average daily range, as a fraction of its price.
        left_out: Symbols that were asked for and have none, each with the reason.
    """

    computed_at: datetime
    lookback: int
    symbols: tuple[str, ...] = ()
    coefficients: Mapping[tuple[str, str], float] = MappingProxyType({})
    ranges: Mapping[str, Decimal] = MappingProxyType({})
    left_out: Mapping[str, str] = MappingProxyType({})

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
