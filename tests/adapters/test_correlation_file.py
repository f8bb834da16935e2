"""Correlations survive, whole, or count as missing; prices are kept symbol by symbol."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.correlation_file import CorrelationFile, PriceFiles
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.risk.correlation import CorrelationMatrix, Triangle
from ibkr_trader.risk.price_history import DayBar, PriceHistory
from tests.adapters.disks import takes_only
from tests.risk.world import D

NAMES = ("AAPL", "BRK B", "MSFT")
MATRIX = CorrelationMatrix(
    computed_at=datetime(2026, 11, 20, 15, tzinfo=UTC),
    lookback=60,
    symbols=NAMES,
    coefficients=Triangle(NAMES, [0.1 + 0.2, -1.0, 1 / 3]),
    ranges={"AAPL": D("0.021")},
    left_out={"NEW": "too little history"},
    sessions=60,
    first=date(2026, 8, 26),
    last=date(2026, 11, 19),
    inputs="abc",
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    file = CorrelationFile(tmp_path)
    file.write(MATRIX, {"AAPL": "Technology"})
    reading = file.read()
    assert reading.matrix is not None
    assert dict(reading.matrix.coefficients) == dict(MATRIX.coefficients)
    for name in ("computed_at", "symbols", "ranges", "left_out", "sessions", "first", "inputs"):
        assert getattr(reading.matrix, name) == getattr(MATRIX, name)
    assert (reading.industries, reading.fault) == ({"AAPL": "Technology"}, "")
    assert reading.mark == file.mark() is not None
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["correlations.json"]  # noqa: PTH208 - names are enough


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    file = CorrelationFile(tmp_path)
    reading = file.read()
    assert (reading.matrix, reading.fault, reading.mark, file.mark()) == (None, "", None, None)


def spoilt(**changes: Any) -> str:
    document = {
        "version": 1, "computed_at": "2026-11-20T15:00:00Z", "lookback": 60, "sessions": 60,
        "first": None, "last": None, "inputs": "", "symbols": ["A", "B"], "values": [0.5],
        "ranges": {}, "left_out": {}, "industries": {},
    }  # fmt: skip
    return json.dumps(document | changes)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "\x00" * 50, spoilt()[:-20], spoilt(version=2), spoilt(values=[1.5]),
        spoilt(values=[]), spoilt(values=["x"]), spoilt(symbols=["B", "A"]), spoilt(more=1),
        spoilt(symbols=["A", "A"]), spoilt(computed_at="2026-11-20T15:00:00"),
        spoilt(values=[0.5]).replace("0.5", "NaN"), spoilt().replace("0.5", "1e999"),
    ],
)  # fmt: skip
def test_a_damaged_file_counts_as_missing_and_says_so(text: str, tmp_path: Path) -> None:
    file = CorrelationFile(tmp_path)
    file.path.write_text(text)
    reading = file.read()
    assert reading.matrix is None
    assert reading.fault.startswith("it is damaged")
    assert reading.mark == file.mark() is not None


def test_a_good_one_is_read(tmp_path: Path) -> None:
    file = CorrelationFile(tmp_path)
    file.path.write_text(spoilt())
    assert file.read().fault == ""


def test_a_full_disk_leaves_the_old_one(tmp_path: Path) -> None:
    file = CorrelationFile(tmp_path)
    file.write(MATRIX, {})
    half = file.path.stat().st_size // 2
    with takes_only(half), pytest.raises(ConfigError, match="No space left"):
        file.write(MATRIX, {"AAPL": "Technology"})
    assert file.read().industries == {}
    assert os.listdir(tmp_path) == ["correlations.json"]  # noqa: PTH208 - names are enough


def test_five_hundred_symbols(tmp_path: Path) -> None:
    names = tuple(f"S{n:03}" for n in range(500))
    values = [0.123456789012345 + n / 1e9 for n, _ in enumerate(combinations(names, 2))]
    matrix = CorrelationMatrix(
        computed_at=MATRIX.computed_at,
        lookback=60,
        symbols=names,
        coefficients=Triangle(names, values),
    )
    file = CorrelationFile(tmp_path)
    file.write(matrix, {})
    found = file.read().matrix
    assert found is not None
    assert found.get_correlation("S000", "S499") == values[498]


HISTORY = PriceHistory(
    symbol="BRK B",
    through=date(2026, 11, 19),
    asked=61,
    industry="Financial",
    bars=(DayBar(date(2026, 11, 19), D("101.5"), D("99"), D("100.25")),),
)


def test_prices_are_kept_symbol_by_symbol(tmp_path: Path) -> None:
    files = PriceFiles(tmp_path)
    assert files.read("BRK B") is None
    files.keep(HISTORY)
    assert files.read("BRK B") == HISTORY
    assert files.read("BRK/B") is None  # another symbol has another file
    (path,) = (tmp_path / "prices").iterdir()
    assert path.name.startswith("BRK_B-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_text("{")
    assert files.read("BRK B") is None
    path.write_text('{"version": 9, "history": {"symbol": "BRK B", "through": "2026-11-19"}}')
    assert files.read("BRK B") is None


@pytest.mark.parametrize("symbol", ["../../etc/passwd", "A" * 300, "\u202e", "", "a b/c\x00"])
def test_no_symbol_leads_out_of_the_folder(symbol: str, tmp_path: Path) -> None:
    path = PriceFiles(tmp_path)._path(symbol)
    assert path.parent == tmp_path / "prices"
    assert len(path.name) < 50
