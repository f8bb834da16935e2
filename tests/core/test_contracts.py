"""From what a person types to a contract."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.contracts import (
    contract_of,
    format_occ,
    is_named,
    label,
    normalize_expiry,
    option,
    parse_occ,
    parse_right,
    parse_strike,
    stock_symbol,
    ticker,
)
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import Contract


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("AAPL", "AAPL"), (" aapl ", "AAPL"), ("BRK.B", "BRK B"), ("brk b", "BRK B"),
        ("BRK  B", "BRK B"), ("X", "X"), ("A1", "A1"), ("ABCDEFGHIJKL", "ABCDEFGHIJKL"),
    ],
)  # fmt: skip
def test_a_ticker_is_a_stock(text: str, symbol: str) -> None:
    assert stock_symbol(text) == symbol
    assert contract_of(text) == Contract(symbol=symbol)


@pytest.mark.parametrize(
    "text", ["", " ", "1A", "A" * 13, "A..B", "A.", "AAPL\n;", "A/B", "ÄPL", "A\0", "--help"]
)
def test_what_is_no_ticker(text: str) -> None:
    with pytest.raises(ValueError, match="is not a ticker"):
        contract_of(text)


@pytest.mark.parametrize("text", ["AAPL  240119C00150500", "aapl240119c00150500"])
def test_an_occ_symbol_is_an_option(text: str) -> None:
    found = contract_of(text)
    assert found == Contract(
        symbol="AAPL",
        sec_type=SecType.OPTION,
        expiry="20240119",
        strike=Decimal("150.5"),
        right="C",
        multiplier=Decimal(100),
        trading_class="AAPL",
        local_symbol="AAPL  240119C00150500",
    )
    assert format_occ(found) == "AAPL  240119C00150500"
    assert format_occ(found, compact=True) == "AAPL240119C00150500"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AAPL240119C150", "is not an OCC option symbol"),
        ("AAPL240119X00150000", "is not an OCC option symbol"),
        ("AAPL 240119C00150000", "padded to six"),
        ("AAPL241319C00150000", "no such day"),
        ("AAPL240230P00150000", "no such day"),
        ("AAPL240119C00000000", "more than 0"),
        ("TOOLONGX240119C00150000", "is not an OCC option symbol"),
    ],
)
def test_what_is_no_occ_symbol(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        contract_of(text)


def test_only_an_occ_symbol_is_parsed_as_one() -> None:
    with pytest.raises(ValueError, match="is not an OCC option symbol"):
        parse_occ("AAPL")


@given(
    st.from_regex(r"[A-Z]{1,6}", fullmatch=True),
    st.dates(min_value=date(2000, 1, 1),
             max_value=date(2099, 12, 31)),
    st.sampled_from("CP"),
    st.integers(1, 99_999_999),
)  # fmt: skip
def test_an_occ_symbol_survives_the_round_trip(
    root: str, day: date, right: str, thousandths: int
) -> None:
    text = f"{root:<6}{day:%y%m%d}{right}{thousandths:08d}"
    assert format_occ(parse_occ(text)) == text
    assert parse_occ(text.replace(" ", "")) == parse_occ(text)


def test_an_option_is_made_of_its_parts() -> None:
    made = option("brk.b", expiry="2026-01-16", strike="400", right="put")
    assert (made.symbol, made.expiry, made.strike, made.right) == (
        "BRK B", "20260116", Decimal(400), "P",
    )  # fmt: skip
    assert format_occ(made) == "BRKB  260116P00400000"


def test_the_root_is_the_symbol_where_there_is_no_trading_class() -> None:
    bare = Contract(
        symbol="BRK B", sec_type=SecType.OPTION, expiry="20260116", strike=Decimal(400), right="C"
    )
    assert format_occ(bare, compact=True) == "BRKB260116C00400000"


def test_not_everything_has_an_occ_symbol() -> None:
    with pytest.raises(ValueError, match="is not an option"):
        format_occ(Contract(symbol="AAPL"))
    with pytest.raises(ValueError, match="is not an option"):
        format_occ(Contract(symbol="AAPL", sec_type=SecType.OPTION))
    with pytest.raises(ValueError, match="longer than the six"):
        format_occ(option("LONGSYMBOL", expiry="20260116", strike="1", right="C"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260116", "20260116"), ("2026-01-16", "20260116"), ("260116", "20260116"),
        ("202601", "20260116"), (" 202605 ", "20260515"), ("202610", "20261016"),
        ("202401", "20240119"), ("210115", "20210115"),
    ],
)  # fmt: skip
def test_expiries(text: str, day: str) -> None:
    assert normalize_expiry(text) == day


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "want YYYYMMDD"), ("2026/01/16", "want YYYYMMDD"), ("next friday", "want YYYYMMDD"),
        ("202613", "no such month"), ("20260230", "no such day"), ("2026-1-16", "want YYYYMMDD"),
        ("٢٠٢٦٠١١٦", "want YYYYMMDD"),
    ],
)  # fmt: skip
def test_what_is_no_expiry(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        normalize_expiry(text)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "more than 0"), ("-5", "more than 0"), ("100000", "less than 100,000"),
        ("NaN", "more than 0"), ("1.0001", "three decimals"), ("abc", "not a strike"),
    ],
)  # fmt: skip
def test_what_is_no_strike(value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_strike(value)


def test_rights() -> None:
    assert [parse_right(text) for text in ("c", "CALL", " put ", "P")] == ["C", "C", "P", "P"]
    with pytest.raises(ValueError, match="neither a call"):
        parse_right("straddle")


HALF_AN_OPTION = Contract(symbol="AAPL", sec_type=SecType.OPTION, expiry="202401")
CALL = option("AAPL", expiry="20240119", strike=Decimal(150), right="C")


@pytest.mark.parametrize(
    ("contract", "called", "typed"),
    [
        (Contract(symbol="BRK B"), "BRK B", "BRK.B"),
        (CALL, "AAPL 2024-01-19 150 C", "AAPL240119C00150000"),
        (HALF_AN_OPTION, "AAPL", "AAPL"),
        (Contract(symbol="AAPL"), "AAPL", "AAPL"),
        (
            Contract(
                symbol="SPX", sec_type=SecType.OPTION, expiry="202401", strike=Decimal(1), right="P"
            ),
            "SPX 202401 1 P",
            "SPX240119P00001000",
        ),
        (Contract(symbol="ES", sec_type=SecType.FUTURE, local_symbol="ESZ6"), "ESZ6", "ES"),
        (Contract(symbol="ES", sec_type=SecType.FUTURE, expiry="202612"), "ES 202612", "ES"),
        (Contract(symbol="ES", sec_type=SecType.FUTURE), "ES", "ES"),
        (Contract(symbol="EUR", sec_type=SecType.CASH), "EUR.USD", "EUR"),
    ],
)
def test_what_people_call_and_type(contract: Contract, called: str, typed: str) -> None:
    assert (label(contract), ticker(contract)) == (called, typed)


@pytest.mark.parametrize(
    ("contract", "text", "is_meant"),
    [
        (Contract(symbol="AAPL"), "", True),
        (Contract(symbol="AAPL"), "aapl", True),
        (Contract(symbol="AAPL"), "MSFT", False),
        (Contract(symbol="BRK B"), "BRK.B", True),
        (Contract(symbol="BRK B"), "BRK", False),
        (CALL, "AAPL", True),
        (CALL, "AAPL240119C00150000", True),
        (CALL, "AAPL240119P00150000", False),
        (Contract(symbol="AAPL"), "AAPL240119C00150000", False),
    ],
)
def test_what_a_name_means(contract: Contract, text: str, is_meant: bool) -> None:
    assert is_named(contract, text) is is_meant


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="not a ticker"):
        is_named(CALL, "1A")
