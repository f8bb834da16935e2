from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from ibkr_trader.cli.correlation_view import age, blocks_of, document
from ibkr_trader.cli.output import Table, aligned, print_block
from ibkr_trader.risk.correlation import CorrelationMatrix, Triangle
from ibkr_trader.risk.limits import RiskLimits
from tests.risk.world import NOW, D

NAMES = ("AAPL", "GLD", "SH")
SECTORS = {"AAPL": "Technology"}
LIMITS = RiskLimits()


def matrix(*values: float, names: tuple[str, ...] = NAMES) -> CorrelationMatrix:
    return CorrelationMatrix(
        computed_at=NOW,
        lookback=60,
        symbols=names,
        coefficients=Triangle(names, values),
        ranges={"SH": D("0.0123")},
        left_out={"NEW": "too little history"},
        sessions=60,
    )


def shown(
    what: CorrelationMatrix, *, days: float = 0, symbol: str = ""
) -> tuple[list[str], Table | None]:
    now = NOW + timedelta(days=days)
    blocks = blocks_of(what, limits=LIMITS, sectors=SECTORS, now=now, symbol=symbol)
    tables = [one for one in blocks if isinstance(one, Table)]
    return [one for one in blocks if isinstance(one, str)], tables[0] if tables else None


def test_a_small_matrix_is_a_square_with_marks() -> None:
    lines, table = shown(matrix(0.1, -0.95, 0.7))
    assert table is not None
    assert aligned(table).splitlines() == [
        "        AAPL    GLD      SH  SECTOR",
        "AAPL           0.10  -0.95*  Technology",
        "GLD     0.10          0.70*",
        "SH    -0.95*  0.70*",
    ]
    assert table.colours == {"-0.95*": "bold cyan", "0.70*": "bold red"}
    assert lines[-1] == "  left out: NEW: too little history"


def test_a_large_one_is_its_strongest_pairs() -> None:
    names = tuple(f"S{n:02}" for n in range(13))
    values = [n / 100 for n, _ in enumerate(combinations(names, 2))]
    _, table = shown(matrix(*values, names=names))
    assert table is not None
    assert table.headers == ("SYMBOL", "WITH", "RHO", "SECTOR")
    assert len(table.rows) == 20
    assert table.rows[0][:3] == ("S11", "S12", "0.77*")


def test_a_symbol_has_its_neighbours_the_closest_first() -> None:
    _, table = shown(matrix(0.1, -0.95, 0.7), symbol="AAPL")
    assert table is not None
    assert table.rows == (("SH", "-0.95*", "1.23 %", ""), ("GLD", "0.10 ", "–", ""))


def test_what_is_old_says_what_holds_instead() -> None:
    lines, _ = shown(matrix(0.1, 0.2, 0.3), days=6)
    assert any(
        "OLD: they count for 5 days; now assume-one holds. Next: ibkr-trader update-correlations"
        in line
        for line in lines
    )
    assert not any("OLD" in line for line in shown(matrix(0.1, 0.2, 0.3), days=4)[0])


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "0 min"), (-1, "0 min"), (0.05, "72 min"), (0.5, "12 h"), (3, "3.0 days")],
)
def test_ages(days: float, words: str) -> None:
    assert age(matrix(0.1, 0.2, 0.3), NOW + timedelta(days=days)) == words


def test_the_document_has_the_whole_square() -> None:
    data = document(matrix(0.1, -0.95, 0.7), limits=LIMITS, sectors=SECTORS, now=NOW)
    assert data["coefficients"] == [[1.0, 0.1, -0.95], [0.1, 1.0, 0.7], [-0.95, 0.7, 1.0]]
    assert data["sectors"] == SECTORS
    one = document(matrix(0.1, -0.95, 0.7), limits=LIMITS, sectors={}, now=NOW, symbol="SH")
    assert one["correlations"] == {"AAPL": -0.95, "GLD": 0.7}
    assert one["correlated"] == ["AAPL", "GLD"]


def test_nothing_and_one() -> None:
    assert shown(matrix(names=()))[1] is None
    lines, table = shown(matrix(names=("AAPL",)))
    assert table is None
    assert "  AAPL alone: there is nothing to compare it with" in lines


@pytest.mark.parametrize(("no_colour", "is_coloured"), [("", True), ("1", False)])
def test_a_terminal_sees_colours_unless_it_wants_none(
    no_colour: str,
    is_coloured: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for name, value in {"COLUMNS": "100", "TERM": "xterm-256color", "NO_COLOR": no_colour}.items():
        monkeypatch.setenv(name, value)
    _, table = shown(matrix(0.1, -0.95, 0.7))
    assert table is not None
    print_block(table)
    out = capsys.readouterr().out
    assert "-0.95*" in out
    assert ("\x1b[1;36m-0.95*" in out) is is_coloured


def test_on_a_narrow_terminal_a_square_becomes_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(f"LONG{n:02}" for n in range(10))
    wide = matrix(*([0.5] * 45), names=names)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    _, table = shown(wide)
    assert table is not None
    assert table.headers[1] == "WITH"
    monkeypatch.setenv("COLUMNS", "120")
    _, table = shown(wide)
    assert table is not None
    assert table.headers[1] == "LONG00"
