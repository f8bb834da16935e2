from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.rules.indicator_parameters import count, factor, filled
from tests.rules.bar_samples import number

BARS = count("bars", least=2, default=20)
WIDTH = factor("width", least="0.1", most="10", default="2")
FREE = count("bars")


def test_what_is_left_out_takes_its_default() -> None:
    assert filled("x", [BARS, WIDTH], ()) == number(20, 2)
    assert filled("x", [BARS, WIDTH], number(5)) == number(5, 2)
    assert filled("x", [BARS, WIDTH], number(5, "1.5")) == number(5, "1.5")


@pytest.mark.parametrize("one", ["2", "2.0", "1000"])
def test_both_ends_are_legal(one: str) -> None:
    assert filled("x", [BARS], number(one)) == number(one)


@pytest.mark.parametrize("one", ["1", "1001", "2.5", "-3", "NaN", "sNaN", "Infinity", "1e30"])
def test_no_other_count_is(one: str) -> None:
    with pytest.raises(ValueError, match="x: bars must be a whole number from 2 to 1000, not "):
        filled("x", [BARS], number(one))


@pytest.mark.parametrize("one", ["0.09", "10.1", "NaN"])
def test_no_other_factor_is(one: str) -> None:
    with pytest.raises(ValueError, match=r"x: width must be a number from 0\.1 to 10, not "):
        filled("x", [WIDTH], number(one))


def test_one_without_a_default_must_be_given() -> None:
    with pytest.raises(ValueError, match="x: bars is missing: a whole number from 1 to 1000"):
        filled("x", [FREE], ())


@pytest.mark.parametrize(
    ("parameters", "words"),
    [([], "takes 0 numbers .none., not 1"), ([FREE], r"takes 1 numbers \(bars\)")],
)
def test_too_many_are_refused(parameters: list[object], words: str) -> None:
    given = (Decimal(5),) * (len(parameters) + 1)
    with pytest.raises(ValueError, match=f"x {words}"):
        filled("x", parameters, given)  # type: ignore[arg-type]  # parameters, by the table


def test_a_factor_may_have_to_be_given() -> None:
    with pytest.raises(ValueError, match="x: width is missing: a number from 1 to 2"):
        filled("x", [factor("width", least="1", most="2")], ())
