from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from ibkr_trader.risk.correlation import CorrelationMatrix, Triangle, neighbours
from tests.risk.world import NOW, D

NAMES = ("AAPL", "GOOGL", "META", "MSFT")
VALUES = [0.1, 0.9, -0.8, 0.3, 0.7, -0.2]
MATRIX = CorrelationMatrix(
    computed_at=NOW, lookback=60, symbols=NAMES, coefficients=Triangle(NAMES, VALUES)
)


def test_every_pair_has_its_coefficient_in_both_orders() -> None:
    for (a, b), value in zip(combinations(NAMES, 2), VALUES, strict=True):
        assert MATRIX.get_correlation(a, b) == MATRIX.get_correlation(b, a) == value
    assert MATRIX.get_correlation("AAPL", "AAPL") == 1.0
    assert MATRIX.get_correlation("AAPL", "TSLA") is None
    assert MATRIX.get_correlation("TSLA", "TSLA") is None


def test_the_closest_come_first_with_or_against() -> None:
    assert MATRIX.get_correlated_symbols("AAPL") == ["META", "MSFT"]
    assert MATRIX.get_correlated_symbols("AAPL", 0.85) == ["META"]
    assert MATRIX.get_correlated_symbols("MSFT") == ["AAPL", "GOOGL"]
    assert MATRIX.get_correlated_symbols("TSLA") == []


def test_a_triangle_is_a_mapping_of_the_pairs() -> None:
    triangle = Triangle(NAMES, VALUES)
    assert dict(triangle) == dict(zip(combinations(NAMES, 2), VALUES, strict=True))
    assert len(triangle) == 6
    assert ("MSFT", "AAPL") not in triangle
    assert ("AAPL", "AAPL") not in triangle
    assert dict(MATRIX.pairs()) == dict(triangle)
    plain = CorrelationMatrix(computed_at=NOW, lookback=60, coefficients={("A", "B"): 0.5})
    assert list(plain.pairs()) == [(("A", "B"), 0.5)]


@pytest.mark.parametrize(
    ("names", "values"),
    [(NAMES, VALUES[:5]), (("B", "A"), [0.5]), (("A", "A"), [0.5]), ((), [0.5])],
)
def test_what_is_no_matrix_is_refused(names: tuple[str, ...], values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"matrix"):
        Triangle(names, values)


@pytest.mark.parametrize(
    ("days", "is_stale"), [(0, False), (5, False), (5.01, True), (-4, False), (-6, True)]
)
def test_it_is_old_after_its_time_and_before_it(days: float, is_stale: bool) -> None:
    now = NOW + timedelta(days=days)
    assert MATRIX.is_stale(now, timedelta(days=5)) is is_stale


def test_who_moves_with_whom() -> None:
    names = ("AAPL", "GLD", "MSFT", "SH")
    values = [0.69, 0.7, -0.7, -0.69, 0.0, 0.1]
    matrix = CorrelationMatrix(
        computed_at=NOW, lookback=60, symbols=names, coefficients=Triangle(names, values)
    )
    near = neighbours(matrix, D("0.7"))
    assert (near["AAPL"].alike, near["AAPL"].against) == (("AAPL", "MSFT"), ("SH",))
    assert near["MSFT"].alike == ("MSFT", "AAPL")
    assert near["SH"].against == ("AAPL",)
    assert (near["GLD"].alike, near["GLD"].against) == (("GLD",), ())
