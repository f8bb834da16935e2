"""Figures and times as people read them, and foreign text made harmless."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.text import (
    UNKNOWN,
    average,
    bar,
    moment,
    money,
    percent,
    plain,
    price,
    quantity,
    quoted,
    rounded,
    undivided,
)

NEW_YORK = ZoneInfo("America/New_York")
AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10", "10"), ("1E+2", "100"), ("1200.50", "1,200.5"), ("0.10", "0.1"), ("-3", "-3"),
        ("1000000", "1,000,000"), ("NaN", "NaN"), ("0", "0"), ("100", "100"),
    ],
)  # fmt: skip
def test_quantity(value: str, text: str) -> None:
    assert quantity(Decimal(value)) == text


def test_a_signed_quantity_shows_its_sign() -> None:
    assert quantity(Decimal(10), signed=True) == "+10"
    assert quantity(Decimal(-10), signed=True) == "-10"


@pytest.mark.parametrize(
    ("value", "text"),
    [("150", "150.00"), ("150.5", "150.50"), ("0.9875", "0.9875"), ("1234.50", "1,234.50"),
     ("150.1000", "150.10"), ("Infinity", "Infinity")],
)  # fmt: skip
def test_price(value: str, text: str) -> None:
    assert price(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("150.0166666666666666666666667", "150.0167"), ("150.01", "150.01"), ("150", "150.00"),
     ("-0.00001", "0.00"), ("NaN", "NaN")],
)  # fmt: skip
def test_average(value: str, text: str) -> None:
    assert average(Decimal(value)) == text
    assert average(None) == UNKNOWN


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("147.1952046875466506573443195", "147.1952"),
        ("1.50", "1.50"),
        ("7", "7"),
        ("1E+3", "1E+3"),
        ("123456789012345678901234567890.123456", "123456789012345678901234567890.1235"),
    ],
)
def test_a_price_is_rounded_however_long_it_is(value: str, found: str) -> None:
    assert str(rounded(Decimal(value))) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("-4.2499999999999999999999995", "-4.25000000"),
        ("150.033333333333333", "150.03333333"),
        ("0.00000001", "1E-8"),
        ("-0.000000000000000000000001", "0E-8"),
        ("123456789012345678901234567890.123456789", "123456789012345678901234567890.12345679"),
        ("150.00", "150.00"),
        ("1E+3", "1E+3"),
        ("NaN", "NaN"),
    ],
)
def test_what_a_division_leaves_is_not_told(value: str, found: str) -> None:
    assert str(undivided(Decimal(value))) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [("1234.5", "1,234.50"), ("-0.004", "0.00"), ("0.005", "0.00"), ("0.015", "0.02"),
     ("-1234567.891", "-1,234,567.89"), ("NaN", "NaN")],
)  # fmt: skip
def test_money(value: str, text: str) -> None:
    assert money(Decimal(value)) == text


def test_money_with_its_currency_and_sign() -> None:
    assert money(Decimal(5), "USD") == "5.00 USD"
    assert money(Decimal(5), "USD", signed=True) == "+5.00 USD"
    assert money(Decimal(0), signed=True) == "0.00"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [("0.0333", 2, "3.33 %"), ("1", 2, "100 %"), ("-0.5", 0, "-50 %"), ("NaN", 2, UNKNOWN)],
)
def test_percent(value: str, digits: int, text: str) -> None:
    assert percent(Decimal(value), digits=digits) == text


def test_what_is_unknown_is_a_dash() -> None:
    assert {quantity(None), price(None), money(None), percent(None), moment(None, UTC)} == {UNKNOWN}


def test_a_time_names_its_zone() -> None:
    assert moment(AT, NEW_YORK) == "2026-11-23 09:30:00 EST"
    assert moment(AT, UTC) == "2026-11-23 14:30:00 UTC"
    assert moment(AT, NEW_YORK, with_date=False) == "09:30:00 EST"
    with pytest.raises(ValueError, match="without a zone"):
        moment(AT.replace(tzinfo=None), UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 1 ü €", "plain words, 1 ü €"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\x9b31mb", "a31mb"),
        ("a\r\nb\tc", "a b c"),
        ("safe\u202egnp.exe\u2066", "safegnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bell\x07\x00", "bell"),
        ("  much   space ", "much space"),
        ("", ""),
    ],
)
def test_foreign_text_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_foreign_text_ends_somewhere() -> None:
    assert plain("x" * 600) == "x" * 499 + "…"
    assert plain("abc", limit=3) == "abc"
    assert plain("abcd", limit=3) == "ab…"


@given(st.text())
def test_nothing_that_is_shown_is_hidden(text: str) -> None:
    assert all(mark.isprintable() for mark in plain(text))
    assert plain(plain(text)) == plain(text)


@given(st.text(alphabet=st.characters() | st.sampled_from(" \t\u00a0\u202e\x1b")))
def test_the_quick_way_through_comes_to_what_the_careful_one_does(text: str) -> None:
    careful = plain(f"{text}\x00")  # what is invisible at the end keeps it from the quick one
    assert plain(text) == careful


@pytest.mark.parametrize(
    ("share", "drawn"),
    [
        ("0", "░░░░░░░░"), ("0.5", "████░░░░"), ("0.999", "███████░"), ("1", "████████"),
        ("7", "████████"), ("-1", "░░░░░░░░"),
    ],
)  # fmt: skip
def test_only_all_of_it_fills_a_bar(share: str, drawn: str) -> None:
    assert bar(Decimal(share), 8) == drawn


def test_what_was_typed_is_shown_in_quotes_and_cut() -> None:
    assert quoted("it") == "'it'"
    assert quoted("x" * 40) == repr("x" * 40)
    assert quoted("x" * 41) == repr("x" * 39 + "…")
