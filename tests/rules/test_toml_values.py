from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.rules.toml_values import number, shown, strangers

D = Decimal
DEEP: dict[str, Any] = {}
for _ in range(100_000):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "'x'"),
        ("x" * 100, "'" + "x" * 39 + "…'"),
        ("\x1b[31m", "'<U+001B>[31m'"),
        (5, "5"),
        (-5, "-5"),
        (D("1.50"), "1.50"),
        (D("1E+999999999"), "1E+999999999"),
        (10**4_000, "a number without end"),
        (True, "true"),
        (False, "false"),
        (date(2026, 11, 20), "2026-11-20"),
        ([[1]], "a list"),
        (DEEP, "a table"),
    ],
)
def test_a_value_in_a_message_is_short_and_harmless(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    "value", [0, -1, 10**12 - 1, D("0.000000000001"), D("-999999999999.5"), D("1E+11"), D("-0")]
)
def test_a_number_is_exact(value: Decimal | int) -> None:
    found = number(value)
    assert isinstance(found, Decimal)
    assert found == value


@pytest.mark.parametrize(
    "value",
    [
        10**12, -(10**12), 10**4_000, D("1E+12"), D("1E+999999999"), D("1E-13"), D("1E-999999999"),
        D("0E-999999999"), D("NaN"), D("sNaN"), D("Infinity"), D("-Infinity"),
        True, False, "5", None, 1.5, [], {}, date(2026, 11, 20),
    ],
)  # fmt: skip
def test_what_is_no_number_or_cannot_be_meant_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no number"):
        number(value)


def test_strange_keys_are_told_with_what_was_meant() -> None:
    found = strangers({"nmae": 1, "name": 2, "zzzzz": 3}, ("name", "when"))
    assert found == [
        ("nmae", "is unknown; did you mean name?"),
        ("zzzzz", "is unknown; known: name, when"),
    ]
    assert strangers({"name": 1}, ("name",)) == []


def test_of_very_many_the_first_are_told() -> None:
    found = strangers({f"k{n}": n for n in range(1_000)}, ("name",))
    assert len(found) == 21
    assert found[-1] == ("", "980 more of its keys are unknown")
    assert len(strangers({f"k{n}": n for n in range(20)}, ("name",))) == 20
