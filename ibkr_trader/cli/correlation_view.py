"""Correlations for people and for scripts: a matrix, the strongest pairs, or one symbol's."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.output import Table
from ibkr_trader.core.text import percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ibkr_trader.risk.correlation import CorrelationMatrix
    from ibkr_trader.risk.limits import RiskLimits

_WIDEST = 12  # symbols that a matrix is drawn of
_PAIRS = 20
_WIDTH = 100  # columns, where no terminal says how many there are
_TOGETHER, _AGAINST = "bold red", "bold cyan"
_HOUR, _DAY = 3_600, 86_400


def blocks_of(
    matrix: CorrelationMatrix,
    *,
    limits: RiskLimits,
    sectors: Mapping[str, str],
    now: datetime,
    symbol: str = "",
) -> list[str | Table]:
    """Return the lines and the table for people; a `*` marks what moves together."""
    least = float(limits.correlation_threshold)
    blocks: list[str | Table] = []
    if matrix.symbols:
        span = f" ({matrix.first} to {matrix.last})" if matrix.first is not None else ""
        blocks.append(
            f"  {matrix.sessions} daily returns{span}, computed {age(matrix, now)} ago; "
            f"* moves together (from {limits.correlation_threshold} on)"
        )
    if symbol:
        blocks.append(_neighbours(matrix, symbol, least, sectors=sectors))
    elif len(matrix.symbols) > 1:
        is_small = len(matrix.symbols) <= _WIDEST and _fits(matrix)
        blocks.append((_square if is_small else _pairs)(matrix, least, sectors=sectors))
        count = len(matrix.symbols)
        pairs = count * (count - 1) // 2
        if not is_small and pairs > _PAIRS:
            blocks.append(
                f"  the {_PAIRS} strongest of {pairs:,} pairs of {count:,} symbols; all of one: "
                f"ibkr-trader correlations {matrix.symbols[0]}"
            )
    elif matrix.symbols:
        blocks.append(f"  {matrix.symbols[0]} alone: there is nothing to compare it with")
    if matrix.is_stale(now, limits.correlation_ttl):
        blocks.append(
            f"  OLD: they count for {quantity_of_days(limits)}; now "
            f"{limits.stale_correlation.value} holds. Next: ibkr-trader update-correlations"
        )
    blocks += [f"  left out: {name}: {why}" for name, why in sorted(matrix.left_out.items())]
    return blocks


def document(
    matrix: CorrelationMatrix,
    *,
    limits: RiskLimits,
    sectors: Mapping[str, str],
    now: datetime,
    symbol: str = "",
) -> dict[str, Any]:
    """Return the document: coefficients by row and column, in the order of `symbols`."""
    data: dict[str, Any] = {
        "computed_at": matrix.computed_at,
        "age_seconds": round((now - matrix.computed_at).total_seconds(), 3),
        "is_stale": matrix.is_stale(now, limits.correlation_ttl),
        "stale_correlation": limits.stale_correlation.value,
        "lookback": matrix.lookback,
        "sessions": matrix.sessions,
        "first": matrix.first,
        "last": matrix.last,
        "inputs": matrix.inputs,
        "threshold": limits.correlation_threshold,
        "symbols": matrix.symbols,
        "sectors": {one: sectors[one] for one in matrix.symbols if one in sectors},
        "ranges": matrix.ranges,
        "left_out": matrix.left_out,
    }
    if symbol:
        others = [one for one in matrix.symbols if one != symbol]
        data["symbol"] = symbol
        data["correlations"] = {one: matrix.get_correlation(symbol, one) for one in others}
        least = float(limits.correlation_threshold)
        data["correlated"] = matrix.get_correlated_symbols(symbol, least)
    else:
        names = matrix.symbols
        data["coefficients"] = [[matrix.get_correlation(a, b) for b in names] for a in names]
    return data


def age(matrix: CorrelationMatrix, now: datetime) -> str:
    """Return how old a matrix is, in the unit that suits it."""
    seconds = max(0.0, (now - matrix.computed_at).total_seconds())
    if seconds < 2 * _HOUR:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.1f} days"


def quantity_of_days(limits: RiskLimits) -> str:
    """Return for how long correlations count."""
    return f"{limits.correlation_ttl.total_seconds() / _DAY:g} days"


def _fits(matrix: CorrelationMatrix) -> bool:
    widths = [max(len(one), 6) + 2 for one in matrix.symbols]
    is_seen = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_seen else _WIDTH
    return max(map(len, matrix.symbols)) + sum(widths) <= width


def _cell(value: float, least: float) -> str:
    return f"{value:.2f}{'*' if abs(value) >= least else ' '}"


def _colours(cells: set[str]) -> dict[str, str]:
    marked = {cell for cell in cells if cell.endswith("*")}
    return {cell: _AGAINST if cell.startswith("-") else _TOGETHER for cell in marked}


def _square(matrix: CorrelationMatrix, least: float, *, sectors: Mapping[str, str]) -> Table:
    rows, cells = [], set()
    for a in matrix.symbols:
        row = ["" if a == b else _cell(_rho(matrix, a, b), least) for b in matrix.symbols]
        cells |= set(row)
        rows.append((a, *row, sectors.get(a, "")))
    headers = ("", *matrix.symbols, "SECTOR")
    return Table(
        headers, tuple(rows), frozenset(matrix.symbols), ("SECTOR",), colours=_colours(cells)
    )


def _pairs(matrix: CorrelationMatrix, least: float, *, sectors: Mapping[str, str]) -> Table:
    strongest = sorted(matrix.pairs(), key=lambda one: (-abs(one[1]), one[0]))[:_PAIRS]
    rows = tuple(
        (a, b, _cell(value, least), _shared(sectors.get(a, ""), sectors.get(b, "")))
        for (a, b), value in strongest
    )
    headers = ("SYMBOL", "WITH", "RHO", "SECTOR")
    colours = _colours({row[2] for row in rows})
    return Table(headers, rows, frozenset({"RHO"}), ("SECTOR",), colours=colours)


def _shared(one: str, other: str) -> str:
    return one if one == other else f"{one or '?'} / {other or '?'}"


def _neighbours(
    matrix: CorrelationMatrix, symbol: str, least: float, *, sectors: Mapping[str, str]
) -> Table:
    others = sorted(
        (one for one in matrix.symbols if one != symbol),
        key=lambda one: (-abs(_rho(matrix, symbol, one)), one),
    )
    rows = tuple(
        (
            other,
            _cell(_rho(matrix, symbol, other), least),
            percent(matrix.ranges.get(other)),
            sectors.get(other, ""),
        )
        for other in others
    )
    headers = (f"WITH {symbol}", "RHO", "RANGE", "SECTOR")
    colours = _colours({row[1] for row in rows})
    return Table(headers, rows, frozenset({"RHO", "RANGE"}), ("SECTOR",), colours=colours)


def _rho(matrix: CorrelationMatrix, a: str, b: str) -> float:
    return matrix.get_correlation(a, b) or 0.0
