"""`correlations.json`, and the prices that it is made of: written whole or not at all.

Each symbol's prices are a file of their own, on disk as soon as they have come: whoever is
killed in the middle goes on from there. What is damaged counts as missing; it is only a
copy of what the broker knows.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.private_files import private_folder, replace_private
from ibkr_trader.adapters.trusted_file import mark_of, read_trusted
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.execution.correlation_watch import CorrelationReading
from ibkr_trader.risk.correlation import CorrelationMatrix, Triangle
from ibkr_trader.risk.price_history import PriceHistory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "correlations.json"
PRICES = "prices"
VERSION = 1
MOST = 100_000_000  # bytes: a matrix of 2,000 symbols is some 40 MB
_MOST_PRICES = 2_000_000
_ODD = re.compile(r"[^A-Z0-9]+")


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: `values` are the coefficients of the pairs of `symbols`, row by row."""

    version: int
    computed_at: datetime
    lookback: int
    sessions: int
    first: date | None
    last: date | None
    inputs: str
    symbols: list[str]
    values: list[float]
    ranges: dict[str, Decimal]
    left_out: dict[str, str]
    industries: dict[str, str]


class _Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One symbol's file."""

    version: int
    history: PriceHistory


_matrices = msgspec.json.Decoder(_Stored)
_prices = msgspec.json.Decoder(_Prices)


class CorrelationFile:
    """The correlations of one profile.

    Attributes:
        path: Where they are, or would be.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @property
    def name(self) -> str:
        """What a message calls it."""
        return str(self.path)

    def mark(self) -> object:
        """Return what changes whenever the file does; None if it is missing."""
        return mark_of(self.path)

    def read(self) -> CorrelationReading:
        """Return what the file says; one that is damaged says nothing but that."""
        mark = self.mark()
        try:
            stored = _matrices.decode(_content(self.path, MOST))
            matrix = _matrix(stored)
        except FileNotFoundError:
            return CorrelationReading()
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            return CorrelationReading(fault=f"it is damaged ({error})", mark=mark)
        return CorrelationReading(matrix=matrix, industries=stored.industries, mark=mark)

    def write(self, matrix: CorrelationMatrix, industries: Mapping[str, str]) -> None:
        """Put `matrix` in the place of what is there, durably.

        Raises:
            ConfigError: If it cannot be written; then the old one is still there.
        """
        stored = _Stored(
            version=VERSION,
            computed_at=matrix.computed_at,
            lookback=matrix.lookback,
            sessions=matrix.sessions,
            first=matrix.first,
            last=matrix.last,
            inputs=matrix.inputs,
            symbols=list(matrix.symbols),
            values=[value for _, value in matrix.pairs()],
            ranges=dict(matrix.ranges),
            left_out=dict(matrix.left_out),
            industries=dict(industries),
        )
        _replace(self.path, msgspec.json.encode(stored))


class PriceFiles:
    """The daily prices of one profile, a file for each symbol."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / PRICES

    def read(self, symbol: str) -> PriceHistory | None:
        """Return what is kept of a symbol; None if there is nothing, or it is damaged."""
        try:
            stored = _prices.decode(_content(self._path(symbol), _MOST_PRICES))
        except (OSError, ValueError):
            return None
        is_ours = stored.version == VERSION and stored.history.symbol == symbol
        return stored.history if is_ours else None

    def keep(self, history: PriceHistory) -> None:
        """Put the prices of a symbol in the place of what is kept of it.

        Raises:
            ConfigError: If they cannot be written.
        """
        private_folder(self._folder)
        content = msgspec.json.encode(_Prices(version=VERSION, history=history))
        _replace(self._path(history.symbol), content)

    def _path(self, symbol: str) -> Path:
        digest = hashlib.sha256(symbol.encode()).hexdigest()[:8]
        return self._folder / f"{_ODD.sub('_', symbol.upper())[:20]}-{digest}.json"


def _content(path: Path, most: int) -> bytes:
    """Return the content of a file of ours.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not believed.
    """
    found = read_trusted(path, most)
    if found.why:
        raise ValueError(f"it {found.why}")
    return found.data


def _matrix(stored: _Stored) -> CorrelationMatrix:
    """Return the matrix in a file.

    Raises:
        ValueError: If it contradicts itself.
    """
    if stored.version != VERSION:
        raise ValueError(f"it is of version {stored.version}, and this program reads {VERSION}")
    if stored.computed_at.tzinfo is None:
        raise ValueError("its time has no zone")
    if stored.values and not -1.0 <= min(stored.values) <= max(stored.values) <= 1.0:
        raise ValueError("a coefficient is not between -1 and 1")
    symbols = tuple(stored.symbols)
    return CorrelationMatrix(
        computed_at=stored.computed_at,
        lookback=stored.lookback,
        symbols=symbols,
        coefficients=Triangle(symbols, stored.values),
        ranges=stored.ranges,
        left_out=stored.left_out,
        sessions=stored.sessions,
        first=stored.first,
        last=stored.last,
        inputs=stored.inputs,
    )


def _replace(path: Path, content: bytes) -> None:
    try:
        replace_private(path, content)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise ConfigError(message, hint="make room, or choose --data-dir") from error
