"""Coefficients against numpy's own, and every reason to leave a symbol out."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from ibkr_trader.risk.correlation import CorrelationMatrix
from ibkr_trader.risk.correlation_math import align, correlate, least_sessions
from ibkr_trader.risk.price_history import DayBar, PriceHistory
from tests.risk.world import NOW, D

FIRST = date(2026, 6, 1)


def history(symbol: str, closes: Sequence[Decimal | None]) -> PriceHistory:
    """One close a day; None is a day without one."""
    bars = tuple(
        DayBar(FIRST + timedelta(days=n), close, close, close)
        for n, close in enumerate(closes)
        if close is not None
    )
    return PriceHistory(symbol=symbol, through=FIRST, bars=bars)


def walk(seed: int, days: int = 61, *, like: Sequence[Decimal | None] = ()) -> list[Decimal | None]:
    """A random walk of prices in cents; `like` another one as far as that goes."""
    luck = random.Random(seed)  # noqa: S311 - a portfolio, no secret
    price, found = 100.0, []
    for n in range(days):
        shared = 0.0
        if like and n:
            shared = float((like[n] or D(1)) / (like[n - 1] or D(1))) - 1
        price *= 1 + luck.gauss(0, 0.01) + shared
        found.append(Decimal(str(round(price, 2))))
    return list(found)


def matrix(*histories: PriceHistory, lookback: int = 60) -> CorrelationMatrix:
    return correlate(histories, lookback=lookback, now=NOW, left_out={"GONE": "nobody knows it"})


def expected(*rows: Sequence[Decimal | None]) -> Any:
    prices = np.array([[float(close) for close in row if close is not None] for row in rows])
    return np.corrcoef(prices[:, 1:] / prices[:, :-1] - 1)


def test_correlation_calculation() -> None:
    rows = {"AAPL": walk(1)}
    rows["MSFT"] = walk(2, like=rows["AAPL"])
    rows["GLD"] = walk(3)
    rows["INVERSE"] = [D(10_000) / (close or D(1)) for close in rows["AAPL"]]
    found = matrix(*(history(symbol, row) for symbol, row in rows.items()))
    names = sorted(rows)
    truth = expected(*(rows[name] for name in names))
    assert found.symbols == tuple(names)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            assert found.get_correlation(a, b) == pytest.approx(truth[i, j], abs=1e-12)
    assert found.get_correlated_symbols("AAPL", 0.6) == ["INVERSE", "MSFT"]
    inverse = found.get_correlation("AAPL", "INVERSE")
    assert inverse is not None
    assert inverse < -0.99
    assert (found.sessions, found.first, found.last) == (60, FIRST, FIRST + timedelta(days=60))
    assert found.left_out == {"GONE": "nobody knows it"}
    assert found.computed_at == NOW


def test_only_the_last_sessions_count() -> None:
    long, other = walk(1, 100), walk(2, 100)
    found = matrix(history("A", long), history("B", other))
    truth = expected(long[-61:], other[-61:])[0, 1]
    assert found.get_correlation("A", "B") == pytest.approx(truth, abs=1e-12)
    assert found.sessions == 60


def test_of_missing_days_only_those_count_that_all_have() -> None:
    one, other = walk(1), walk(2)
    gaps = [None if n in {7, 20, 33} else close for n, close in enumerate(other)]
    found = matrix(history("A", one), history("B", gaps))
    kept = [close for n, close in enumerate(one) if n not in {7, 20, 33}]
    truth = expected(kept, [close for close in gaps if close is not None])[0, 1]
    assert found.get_correlation("A", "B") == pytest.approx(truth, abs=1e-12)
    assert (found.sessions, found.left_out) == (57, {"GONE": "nobody knows it"})


def test_a_day_that_few_traded_on_is_no_session() -> None:
    rows = [walk(n) for n in range(3)]
    odd = [[close if n != 30 else None for n, close in enumerate(row)] for row in rows[:2]]
    found = matrix(history("A", odd[0]), history("B", odd[1]), history("C", rows[2]))
    assert (found.sessions, found.symbols) == (59, ("A", "B", "C"))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ([None] * 41 + walk(9, 20), "too little history: 20 of 61 sessions, and 31 are needed"),
        ([None] * 61, "too little history: 0 of 61 sessions, and 31 are needed"),
        ([D(50)] * 61, "its price did not change, so it moves with nothing"),
        (
            [*walk(9, 30), *[(close or D(1)) / 4 for close in walk(9, 61)[30:]]],
            "its price moved by -75% on 2026-07-01: a split that is not adjusted, or a bad print",
        ),
    ],
)
def test_what_cannot_be_compared_is_left_out_with_the_reason(
    row: Sequence[Decimal | None], why: str
) -> None:
    found = matrix(history("A", walk(1)), history("B", walk(2)), history("ODD", row))
    assert found.left_out["ODD"].startswith(why[:22])
    assert found.left_out["ODD"] == why
    assert found.symbols == ("A", "B")
    assert found.get_correlation("A", "B") is not None
    assert found.get_correlation("A", "ODD") is None


def test_one_with_many_gaps_does_not_take_the_sessions_of_the_rest() -> None:
    even = [close if n % 2 == 0 else None for n, close in enumerate(walk(3))]
    odd = [close if n % 2 or n in {0, 2} else None for n, close in enumerate(walk(4))]
    found = matrix(*(history(name, walk(n)) for n, name in enumerate("ABC")), history("EVEN", even))
    assert found.symbols == ("A", "B", "C", "EVEN")  # 31 sessions are enough
    both = (history("EVEN", even), history("ODD", odd))
    found = matrix(*(history(name, walk(n)) for n, name in enumerate("ABC")), *both)
    assert found.symbols == ("A", "B", "C", "ODD")
    assert found.left_out["EVEN"] == (
        "30 of 61 sessions are missing, which would leave 2 that all have"
    )
    assert found.sessions == 31


def test_one_symbol_has_nothing_to_be_compared_with() -> None:
    found = matrix(history("A", walk(1)))
    assert (found.symbols, dict(found.coefficients)) == (("A",), {})
    assert found.get_correlation("A", "A") == 1.0
    assert found.ranges["A"] > 0


def test_nothing_is_a_matrix_too() -> None:
    found = matrix()
    assert (found.symbols, found.sessions, found.first) == ((), 0, None)
    assert matrix(history("A", [])).left_out["A"].startswith("too little history: 0 of 61")


def test_five_hundred_symbols() -> None:
    market = walk(0)
    found = matrix(*(history(f"S{n:03}", walk(n, like=market)) for n in range(500)))
    assert len(found.symbols) == 500
    assert len(found.coefficients) == 500 * 499 // 2
    assert all(-1 <= value <= 1 for _, value in found.pairs())


def test_nothing_that_an_order_needs_imports_numpy() -> None:
    program = (
        "import sys; from ibkr_trader.risk.check import CHECKS; dict(CHECKS.items());"
        "import ibkr_trader.risk.view, ibkr_trader.execution.correlations,"
        " ibkr_trader.execution.outlook, ibkr_trader.adapters.correlation_file;"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_how_many_sessions_are_needed() -> None:
    assert [least_sessions(n) for n in (20, 40, 60, 252)] == [20, 20, 30, 126]
    assert align([history("A", walk(1, 21))], 20).symbols == ("A",)
    assert align([history("A", walk(1, 20))], 20).symbols == ()
