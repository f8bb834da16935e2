from __future__ import annotations

from datetime import time

import pytest

from ibkr_trader.core.enums import SignalAction
from ibkr_trader.rules.expression_explaining import told
from ibkr_trader.rules.expression_kinds import UNKNOWN, Kind, Unknown, Value
from tests.rules.expression_world import D, moment, read


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D("0.91"), "0.91"),
        (D("0.910"), "0.91"),
        (D(1200), "1,200"),
        (D("-0.5"), "-0.5"),
        (D(0), "0"),
        (D("1E+3"), "1,000"),
        (D("123456.123456"), "123,456.123456"),
        (D("0." + "3" * 34), "~0.333333333333"),
        (D("0.85000000000000001"), "~0.85"),
        (D("1234567890.1239"), "~1,234,567,890.12"),
        (D("1E-12"), "0.000000000001"),
        (D("1E-13"), "1E-13"),
        (D("1E+15"), "1,000,000,000,000,000"),
        (D("1E+16"), "1E+16"),
        (D("1.5E-6000"), "1.5E-6000"),
        (D("1E+999999999999"), "1E+999999999999"),
        (True, "true"),
        (False, "false"),
        (UNKNOWN, "unknown"),
        ("AAPL", "AAPL"),
        (SignalAction.BUY, "BUY"),
        ("A\x1b[2J\u202eB", "A[2JB"),
        ("A" * 61, "A" * 59 + "…"),
        (time(9, 45), "09:45"),
        (time(9, 45, 30), "09:45:30"),
        (time(9, 45, 0, 999), "09:45"),
    ],
)
def test_values_are_told_as_people_read_them(value: Value | Unknown, text: str) -> None:
    assert told(value) == text


def test_what_it_looks_at_is_told_in_the_order_of_its_words() -> None:
    scope = moment(moment(changes={"sma(10)": D(99)}), changes={"sma(50)": UNKNOWN})
    rule = read(
        "signal.action == 'BUY' and crosses_above(sma(10), sma(50)) and time.now >= '09:45' "
        "and bar.close > previous(previous(bar.close)) and (bar.close > 1 or not desk.is_armed)"
    )
    assert list(rule.explain(scope).items()) == [
        ("signal.action", "BUY"),
        ("sma(10)", "101"),
        ("previous(sma(10))", "99"),
        ("sma(50)", "unknown"),
        ("previous(sma(50))", "100"),
        ("time.now", "10:30"),
        ("bar.close", "101.5"),
        ("previous(previous(bar.close))", "unknown"),
        ("desk.is_armed", "false"),
    ]


def test_an_expression_of_written_values_looks_at_nothing() -> None:
    assert read("1 < 2").explain(moment()) == {}
    assert read("previous(1) < 2").explain(moment()) == {}
    assert read("1 > 2").failing(moment()) == ("1 > 2 is false",)


def test_what_does_not_hold_is_told_with_its_values() -> None:
    rule = read("signal.action == 'BUY' and signal.confidence > 0.85 and position.is_flat")
    scope = moment(changes={"signal.confidence": D("0.81"), "position.is_flat": UNKNOWN})
    assert rule.failing(scope) == (
        "signal.confidence > 0.85 is false (0.81)",
        "position.is_flat is unknown",
    )
    assert rule.failing(moment()) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("desk.is_armed", "is false"),
        ("not market.is_open", "is false (true)"),
        ("desk.is_armed or bar.open > 200", "is false (desk.is_armed false, bar.open 100)"),
        ("bar.close > sma(10) + 5", "is false (bar.close 101.5, sma(10) 101)"),
        ("previous(bar.close) > 1", "is unknown"),
        ("previous(market.is_open)", "is unknown"),
        ("previous(symbol) == symbol", "is unknown (previous(symbol) unknown, symbol AAPL)"),
        ("1 / (bar.open - 100) > 1", "is unknown (100)"),
        ("time.now > '15:45'", "is false (10:30)"),
        ("symbol in ('MSFT',)", "is false (AAPL)"),
    ],
)  # fmt: skip
def test_only_what_fails_is_told_and_why(text: str, why: str) -> None:
    assert read(text).failing(moment()) == (f"{text} {why}",)


def test_parentheses_do_not_hide_a_part() -> None:
    rule = read("bar.close > 1 and (desk.is_armed and bar.open < 1)")
    assert rule.failing(moment()) == ("desk.is_armed is false", "bar.open < 1 is false (100)")


def test_an_amount_fails_when_it_is_unknown() -> None:
    assert read("bar.close * 0", Kind.NUMBER).failing(moment()) == ()
    assert read("bar.close / 0", Kind.NUMBER).failing(moment()) == (
        "bar.close / 0 is unknown (101.5)",
    )
