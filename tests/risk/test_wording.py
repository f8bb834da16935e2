from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.risk.wording import number, order_words, seconds, smaller, tightest
from tests.risk.world import D, spec


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+4", "10000"),
        ("1234.50", "1234.5"),
        ("NaN", "NaN"),
        ("992.3500000000000000000000005", "992.35"),
    ],
)
def test_figures_for_machines(value: str, text: str) -> None:
    assert number(D(value)) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=5), "5 s"),
        (timedelta(milliseconds=1_401), "1.5 s"),
        (timedelta(days=1), "86,400 s"),
        (timedelta(0), "0 s"),
    ],
)
def test_lengths_of_time_are_rounded_up(length: timedelta, text: str) -> None:
    assert seconds(length) == text


def test_an_order_in_words() -> None:
    assert order_words(spec("SELL", 1200)) == "SELL 1,200 AAPL"


@pytest.mark.parametrize(
    ("excess", "hint"),
    [
        ("3", "use --quantity 7 or less"),
        ("2.1", "use --quantity 7 or less"),
        ("9", "use --quantity 1 or less"),
        ("9.01", "there is no room left: close or cancel something in AAPL first"),
        ("10", "there is no room left: close or cancel something in AAPL first"),
    ],
)
def test_what_would_fit(excess: str, hint: str) -> None:
    assert smaller(spec("BUY", 10), D(excess)) == hint


FULL = smaller(spec("BUY", 10), D(10))


@pytest.mark.parametrize(
    ("hints", "kept"),
    [
        ([], []),
        (["", "wait"], ["wait"]),
        (["wait", "wait"], ["wait"]),
        (
            ["use --quantity 100 or less", "wait", "use --quantity 66 or less"],
            ["wait", "use --quantity 66 or less"],
        ),
        (["use --quantity 9 or less", "use --quantity 10 or less"], ["use --quantity 9 or less"]),
        (["use --quantity 9 or less", FULL], [FULL]),
        (["use --quantity 9 or less", "use --quantity 5 or more"],) * 2,
    ],
)
def test_of_sizes_that_would_fit_the_smallest_is_kept(hints: list[str], kept: list[str]) -> None:
    assert tightest(hints) == kept
