from __future__ import annotations

import re

import pytest

from ibkr_trader.rules.indicator import INDICATORS, family_of, indicator_names, key_of, make
from tests.rules.bar_samples import number

NAMES = """atr bollinger_lower bollinger_middle bollinger_upper ema highest lowest macd_histogram
    macd_line macd_signal opening_high opening_low previous_close rsi sma vwap"""


def test_the_names_of_all() -> None:
    assert indicator_names() == tuple(NAMES.split())


def test_each_family_is_named_as_its_file_and_says_what_it_is() -> None:
    for name, family in INDICATORS.items():
        assert family.name == name
        assert re.fullmatch(r"[A-Z].{10,90}\.", family.doc)
        assert family.build.__module__ == f"ibkr_trader.rules.indicators.{name}"
        for one in family.parameters:
            assert one.default is None or one.allows(one.default)


def test_a_name_means_an_output_of_its_family() -> None:
    assert [family_of(name)[1] for name in ("bollinger_upper", "sma", "previous_close")] == [
        "upper",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "name", ["", "_", "smaa", "sma_upper", "bollinger_top", "previous", "high"]
)
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=f"there is no indicator '{name}'; there are atr, boll"):
        make(name, number(5))


def test_a_family_alone_is_refused_with_its_outputs() -> None:
    with pytest.raises(ValueError, match=r"'macd'; there are macd_line, macd_signal, macd_histog"):
        make("macd")


def test_keys_have_their_defaults() -> None:
    assert key_of("rsi") == key_of("rsi", number("14.0")) == ("rsi", number(14))
    assert key_of("bollinger_upper", number(10)) == ("bollinger_upper", number(10, 2))
    with pytest.raises(ValueError, match="sma: bars is missing"):
        key_of("sma")


@pytest.mark.parametrize("numbers", [number(0), number("2.5"), number(1, 2), ()])
def test_wrong_numbers_are_refused(numbers: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"^sma"):
        make("sma", numbers)  # type: ignore[arg-type]  # numbers, by the table
