from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.ibkr.translate_values import (
    amount,
    decimal,
    moment,
    number,
    plain,
    whole,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.7976931348623157E308",
        "1.7976931348623157e+308",
        "2147483647",
        "9223372036854775807",
        "170141183460469231731687303715884105727",
        "Infinity",
        "NaN",
    ],
)
def test_every_spelling_of_unset_is_none(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("150.25", "150.25"), ("1e-05", "0.00001"), ("1.5E-4", "0.00015"), ("-1", "-1"), ("0", "0")],
)
def test_numbers_are_read_as_they_stand(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["abc", "1,5", "12..3", "0x10"])
def test_what_is_no_number_is_an_error_and_never_zero(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        amount(text)


def test_a_float_means_its_shortest_decimal() -> None:
    assert decimal(0.1) == Decimal("0.1")
    assert str(decimal(150.0)) == "150"
    assert str(decimal(100000.0)) == "100000"
    assert decimal(1.7976931348623157e308) is None
    assert decimal(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("100", "100"),
        ("1E+2", "100"),
        ("145.00", "145"),
        ("0.30", "0.3"),
        ("-0", "0"),
        ("1E-8", "0.00000001"),
    ],
)
def test_what_leaves_is_in_plain_notation(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=8
    )
)
def test_plain_notation_says_the_same_number(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text.upper()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        plain(Decimal(value))


@pytest.mark.parametrize(
    "text",
    [
        "20261120 10:00:01 US/Eastern",
        "20261120 15:00:01 UTC",
        "20261120-15:00:01 UTC",
        "20261120  10:00:01",
        "1795186801",
    ],
)
def test_every_form_of_a_moment(text: str) -> None:
    assert moment(text, zone="US/Eastern") == datetime(2026, 11, 20, 15, 0, 1, tzinfo=UTC)


def test_a_zone_with_dashes_is_read() -> None:
    read = moment("20261120 10:00:00 America/Port-au-Prince", zone="UTC")
    assert read == datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def test_a_bare_day_is_its_midnight() -> None:
    assert moment("20261120", zone="UTC") == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "20261120 10:00:01 Mars/Olympus", "yesterday"])
def test_what_is_no_moment_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - strptime words it
        moment(text, zone="UTC")


def test_unset_integers_are_zero() -> None:
    assert whole("") == 0
    assert whole("9223372036854775807") == 0
    assert whole("12345678901") == 12_345_678_901
