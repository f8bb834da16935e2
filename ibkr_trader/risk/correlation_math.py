"""From daily closes to coefficients: which sessions count, what is left out, and the product.

Simple returns (p1 / p0 - 1) between the sessions that all symbols have, because what a
portfolio gains is the sum of those; so every coefficient is of the same days, and the
matrix is what `numpy.corrcoef` makes of them. A symbol that cannot be compared is left out
with the reason, never filled up. Closes become floats here: a coefficient is no money.

numpy takes a tenth of a second to import: import this module where it is needed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ibkr_trader.risk.correlation import CorrelationMatrix, Triangle
from ibkr_trader.risk.price_history import PriceHistory, average_range

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_SESSIONS = 20  # a coefficient of fewer returns says nothing
_BAD_MOVE = 0.5  # more in a day is a split that nobody adjusted, or a bad print
_STILL = 1e-9  # a return that varies by less is rounding


class Aligned(NamedTuple):
    """Closes of the same days: one row a symbol, one column a session."""

    symbols: tuple[str, ...]
    days: tuple[date, ...]
    closes: tuple[tuple[Decimal, ...], ...]
    left_out: dict[str, str]


def least_sessions(lookback: int) -> int:
    """Return how many common returns there must be at least."""
    return max(LEAST_SESSIONS, lookback // 2)


def correlate(
    histories: Sequence[PriceHistory],
    *,
    lookback: int,
    now: datetime,
    left_out: Mapping[str, str],
    inputs: str = "",
) -> CorrelationMatrix:
    """Return the correlations of the last `lookback` daily returns, as of `now`.

    Args:
        histories: One for each symbol.
        lookback: How many returns, at least `LEAST_SESSIONS`.
        now: When this is.
        left_out: Symbols that have no prices, each with the reason.
        inputs: The name of the prices.
    """
    aligned = align(histories, lookback)
    prices = np.array([[float(one) for one in row] for row in aligned.closes], dtype=np.float64)
    values: list[float] = []
    if len(aligned.symbols) > 1:
        product = coefficients(prices)
        values = product[np.triu_indices(len(aligned.symbols), 1)].tolist()
    days = aligned.days
    ranges = {one.symbol: average_range(one) for one in histories}
    return CorrelationMatrix(
        computed_at=now,
        lookback=lookback,
        symbols=aligned.symbols,
        coefficients=Triangle(aligned.symbols, values),
        ranges={symbol: value for symbol, value in ranges.items() if value is not None},
        left_out=dict(left_out) | aligned.left_out,
        sessions=max(0, len(days) - 1),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        inputs=inputs,
    )


def coefficients(prices: Floats) -> Floats:
    """Return the correlations of the rows' simple returns, each row a symbol.

    Every row must move; see `align`.
    """
    moves = prices[:, 1:] / prices[:, :-1]
    moves -= moves.mean(axis=1, keepdims=True)
    moves /= np.sqrt(np.einsum("ij,ij->i", moves, moves))[:, None]
    product: Floats = moves @ moves.T
    return np.clip(product, -1.0, 1.0, out=product)


def align(histories: Sequence[PriceHistory], lookback: int) -> Aligned:
    """Return the closes of the sessions that all symbols have, without those that have too few.

    A session is a day on which at least half of the symbols traded; the last `lookback` + 1 of
    them count. Whoever has fewer than the least, or leaves too few to all, is left out, those
    with the most missing first.
    """
    rows = {one.symbol: {bar.day: bar.close for bar in one.bars} for one in histories}
    counted = Counter(day for row in rows.values() for day in row)
    window = sorted(day for day, count in counted.items() if 2 * count >= len(rows))
    window = window[-lookback - 1 :]
    kept = {s: {day: row[day] for day in window if day in row} for s, row in rows.items()}
    least, left_out = least_sessions(lookback) + 1, {}
    for symbol in sorted(kept):
        why = _useless(kept[symbol], least, lookback)
        if why:
            left_out[symbol] = why
            del kept[symbol]
    common = _common(window, kept)
    while kept and len(common) < least:
        fewest = min(sorted(kept), key=lambda symbol: len(kept[symbol]))
        missing = len(window) - len(kept[fewest])
        left_out[fewest] = (
            f"{missing} of {len(window)} sessions are missing, "
            f"which would leave {len(common)} that all have"
        )
        del kept[fewest]
        common = _common(window, kept)
    for symbol in [one for one in sorted(kept) if _is_still([kept[one][day] for day in common])]:
        left_out[symbol] = "its price did not change, so it moves with nothing"
        del kept[symbol]
    names = tuple(sorted(kept))
    closes = tuple(tuple(kept[symbol][day] for day in common) for symbol in names)
    return Aligned(names, tuple(common) if names else (), closes, left_out)


def _useless(row: Mapping[date, Decimal], least: int, lookback: int) -> str:
    """Why a symbol cannot be compared whatever the others have; empty if it can."""
    if len(row) < least:
        return f"too little history: {len(row)} of {lookback + 1} sessions, and {least} are needed"
    days = sorted(row)
    for before, day in itertools.pairwise(days):
        move = float(row[day] / row[before]) - 1
        if abs(move) > _BAD_MOVE:
            return (
                f"its price moved by {move:+.0%} on {day}: a split that is not adjusted, "
                "or a bad print"
            )
    return ""


def _common(window: Sequence[date], kept: Mapping[str, Mapping[date, Decimal]]) -> list[date]:
    return [day for day in window if all(day in row for row in kept.values())]


def _is_still(closes: Sequence[Decimal]) -> bool:
    moves = [float(b / a) for a, b in itertools.pairwise(closes)]
    return max(moves) - min(moves) < _STILL
