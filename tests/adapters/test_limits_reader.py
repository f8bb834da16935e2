from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ibkr_trader.adapters.limits_reader import amount_of, read_limits, spelled
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.risk.limits_reading import LimitsReading

CAP = RiskLimits()
SEED = """{
  "symbol_limits": {
    "AAPL": {
      "max_position_size": 50,
      "max_order_exposure": 5000.0,
      "max_daily_loss": 200.0
    },
    "TSLA": {
      "max_position_size": 10,
      "max_order_exposure": 2000.0,
      "max_daily_loss": 100.0,
      "max_correlation_exposure": 10000.0
    }
  },
  "default_limits": {
    "max_position_size": 100,
    "max_order_exposure": 10000.0,
    "max_daily_loss": 1000.0
  }
}
"""


def read(text: str | bytes) -> LimitsReading:
    return read_limits(text.encode() if isinstance(text, str) else text, CAP)


def faults(text: str | bytes) -> list[str]:
    return [str(one) for one in read(text).faults]


def one(value: str, key: str = "max_daily_loss") -> str:
    return f'{{"symbol_limits": {{"AAPL": {{"{key}": {value}}}}}}}'


def named(key: str) -> str:
    return f'{{"symbol_limits": {{{key}: {{"max_position_size": 5}}}}}}'


def test_the_format_of_the_seed_is_read() -> None:
    reading = read(SEED)
    assert (reading.faults, reading.warnings) == ((), ())
    assert reading.registry is not None
    tsla = reading.registry.symbols["TSLA"]
    assert tsla.max_position_size == 10
    assert tsla.max_correlation_exposure == 10_000
    assert reading.registry.default.max_order_exposure == 10_000


def test_amounts_are_exact_as_numbers_and_as_text() -> None:
    for written in ("0.1", '"0.1"', "100.10", '"100.10"'):
        registry = read(one(written)).registry
        assert registry is not None
        assert registry.symbols["AAPL"].max_daily_loss == Decimal(written.strip('"'))


@pytest.mark.parametrize("text", ["{}", '{"symbol_limits": {}}', '{"default_limits": {}}'])
def test_nothing_said_limits_nothing(text: str) -> None:
    registry = read(text).registry
    assert registry is not None
    assert registry.is_empty


def test_what_is_no_number_is_told_with_its_key_beside_the_other_faults() -> None:
    first, second = faults(
        '{"symbol_limits": {"AAPL": {"max_position_size": 0, "max_daily_loss": NaN}}}'
    )
    assert "symbol_limits.AAPL.max_position_size: it must be above 0" in first
    assert "symbol_limits.AAPL.max_daily_loss: NaN is no amount" in second


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (one("0"), "line 1, column 47: symbol_limits.AAPL.max_daily_loss: it must be above 0"),
        (one("-1"), "-1 is not above 0"),
        (one('"-0.5"'), "-0.5 is not above 0"),
        (one("NaN"), "symbol_limits.AAPL.max_daily_loss: NaN is no amount"),
        (one("Infinity"), "symbol_limits.AAPL.max_daily_loss: Infinity is no amount"),
        (one('"NaN"'), "NaN is no amount"),
        (one('"-Infinity"'), "-Infinity is no amount"),
        (one("1e400"), "1e400 is not written in full"),
        (one("1e3"), "1e3 is not written in full"),
        (one("1" * 13), "has more than 12 digits"),
        (one("0.123456789"), "more than 8 decimals"),
        (one('"1,000"'), "1,000 has a comma"),
        (one('"٣"'), "is no amount"),  # a digit, but not one of ours
        (one('" 5"'), '" 5" is no amount'),
        (one('"$5"'), '"$5" is no amount'),
        (one('""'), '"" is no amount'),
        (one("true"), "true or false is no amount"),
        (one("null"), "null is no amount; without a limit, leave the key out"),
        (one("[5]"), "a list is no amount"),
        (one("{}"), "an object is no amount"),
        (one("50.5", "max_position_size"), "shares are whole, and 50.5 is not"),
        (one("5", "max_pos_size"), "did you mean max_position_size?"),
        (one("5", "zzz"), "there is no such key; there are max_position_size,"),
        (named('"aapl"'), "symbol_limits.aapl: it is in lower case: write AAPL"),
        (named('"brk.b"'), "write BRK.B"),
        (named('"BRK  B"'), "it is misspelled: write BRK.B"),
        (named('"\u0410APL"'), "U+0410 (CYRILLIC CAPITAL LETTER A)"),
        (named('"\\u0410APL"'), "symbol_limits.\\u0410APL"),
        (named('"\uff21APL"'), "(FULLWIDTH LATIN CAPITAL LETTER A) in it: write AAPL"),
        (named('"AAPL\\u200b"'), "U+200B (ZERO WIDTH SPACE)"),
        (named('"AA\\u0000PL"'), "U+0000 (a character without a name)"),
        (named('"\\ud800"'), "U+D800"),
        (named('""'), "it is no ticker"),
        (named('"1AAPL"'), "it is no ticker"),
        (named('"AAPL240119C00150000"'), "it is no ticker"),
        (named('" AAPL"'), "write AAPL"),
        (named('"*"'), "the limits of every other symbol stand in default_limits"),
        ("[]", "it must be an object"),
        ('"AAPL"', "it must be an object"),
        ('{"symbol_limits": []}', "symbol_limits: it must be an object"),
        ('{"symbol_limits": {"AAPL": 5}}', "symbol_limits.AAPL: it must be an object"),
        ('{"default_limits": null}', "default_limits: it must be an object"),
        ('{"symbol_limit": {}}', "symbol_limit: there is no such key; did you mean symbol_limits?"),
        ('{"$schema": 5}', "$schema: it must be text"),
        ('{"symbol_limits": {}, "symbol_limits": {}}', "it stands on line 1 already: remove one"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark"),
        (b'{\n"\xff": 1}', "line 2, column 2: this is not UTF-8 text"),
        ("", "the file ends too early, as if half written"),
        (SEED[: len(SEED) // 2], "the file ends too early, as if half written"),
        ("[" * 100_000, "nested more than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str | bytes, complaint: str) -> None:
    found = faults(text)
    assert [line for line in found if complaint in line], found
    assert read(text).registry is None


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    text = """{
  "symbol_limits": {
    "AAPL": {"max_position_size": 0, "max_daily_los": 5},
    "aapl": {},
    "AAPL": {"max_position_size": 50}
  },
  "default": {}
}"""
    assert faults(text) == [
        (
            "line 3, column 35: symbol_limits.AAPL.max_position_size: it must be above 0; "
            'write for example "50"'
        ),
        (
            "line 3, column 38: symbol_limits.AAPL.max_daily_los: "
            "there is no such key; did you mean max_daily_loss?"
        ),
        "line 4, column 5: symbol_limits.aapl: it is in lower case: write AAPL",
        "line 4, column 5: symbol_limits.aapl: AAPL stands on line 3 already: remove one of them",
        "line 5, column 5: symbol_limits.AAPL: AAPL stands on line 3 already: remove one of them",
        "line 7, column 3: default: there is no such key; did you mean default_limits?",
    ]


def test_a_key_twice_in_an_entry_is_a_fault() -> None:
    text = '{"default_limits": {"max_daily_loss": 5,\n"max_daily_loss": 500}}'
    assert faults(text) == [
        "line 2, column 1: default_limits.max_daily_loss: it stands on line 1 already: remove one"
    ]


def test_two_spellings_of_a_class_are_one_symbol() -> None:
    text = '{"symbol_limits": {"BRK.B": {}, "BRK B": {}}}'
    assert "BRK B stands on line 1 already" in faults(text)[0]
    registry = read('{"symbol_limits": {"BRK.B": {"max_daily_loss": 5}}}').registry
    assert registry is not None
    assert registry.own("BRK B", "max_daily_loss") == 5


def test_what_is_looser_than_the_cap_is_a_warning_and_the_cap_holds() -> None:
    reading = read('{\n"symbol_limits": {"AAPL": {"max_position_size": 500}}}')
    assert [str(one) for one in reading.warnings] == [
        (
            "line 2, column 49: symbol_limits.AAPL.max_position_size: "
            "500 is looser than the global 100, which holds"
        )
    ]
    assert reading.registry is not None
    assert reading.registry.get_limit("AAPL", CAP).max_position_size == 100


def test_no_correlation_limit_may_be_written_as_null() -> None:
    registry = read(one("null", "max_correlation_exposure")).registry
    assert registry is not None
    assert registry.symbols["AAPL"].max_correlation_exposure is None


def test_a_schema_may_be_named() -> None:
    assert read('{"$schema": "symbol_limits.schema.json"}').registry is not None


def test_strange_keys_are_shown_so_that_they_cannot_steer_a_terminal() -> None:
    text = json.dumps({"\x1b[31m" + "x" * 99: 1})
    (line,) = faults(text)
    assert line.startswith("line 1, column 2: \\u001b[31mxxx")
    assert line.isprintable()
    assert len(line) < 200


@pytest.mark.parametrize(
    ("text", "symbol"), [("AAPL", "AAPL"), ("BRK.B", "BRK B"), ("BRK B", "BRK B"), ("V", "V")]
)
def test_symbols_are_read_as_the_broker_writes_them(text: str, symbol: str) -> None:
    assert spelled(text) == (symbol, "")


def test_an_amount_is_what_the_file_takes() -> None:
    assert amount_of("50", "max_position_size") == (Decimal(50), "")
    assert amount_of("1e400", "max_daily_loss") == (None, "1e400 is not written in full")
