from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.bars import bar, fullness, in_percent

SHARES = st.none() | st.decimals(min_value=-10, max_value=10**20) | st.just(Decimal("NaN"))


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        ("0", "░░░░"),
        ("0.24", "░░░░"),
        ("0.25", "█░░░"),
        ("0.9999", "███░"),
        ("1", "████"),
        ("7", "████"),
        ("-1", "░░░░"),
        ("NaN", "····"),
        ("Infinity", "····"),
    ],
)
def test_only_all_of_it_fills_a_bar(share: str, shown: str) -> None:
    assert bar(Decimal(share), 4) == shown


def test_an_unknown_share_draws_no_bar() -> None:
    assert bar(None, 3) == "···"
    assert in_percent(None) == "–"
    assert fullness(None) == ("UNKNOWN", Role.UNKNOWN)


@given(SHARES, st.integers(0, 30))
def test_a_bar_is_as_wide_as_asked(share: Decimal | None, cells: int) -> None:
    assert len(bar(share, cells)) == cells
    assert len(in_percent(share)) <= 5


@pytest.mark.parametrize(
    ("share", "shown"), [("0.999", "99 %"), ("1", "100 %"), ("1.05", "105 %"), ("1e9", "999 %")]
)
def test_percent_are_rounded_down(share: str, shown: str) -> None:
    assert in_percent(Decimal(share)) == shown


@pytest.mark.parametrize(
    ("share", "word"),
    [("0", ""), ("0.79", ""), ("0.8", "HIGH"), ("0.999", "HIGH"), ("1", "FULL"), ("1.001", "OVER")],
)
def test_what_is_nearly_full_is_told_in_words(share: str, word: str) -> None:
    assert fullness(Decimal(share))[0] == word
