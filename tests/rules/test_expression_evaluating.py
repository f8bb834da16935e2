from __future__ import annotations

import decimal
from datetime import UTC, time
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.enums import SignalAction
from ibkr_trader.rules.expression_kinds import UNKNOWN, Kind
from tests.rules.expression_world import D, Moment, ask, moment

NINES = "9" * 30
HUGE, TINY = D("9E+6144"), D("1E-6143")


def number(text: str, **values: Decimal) -> Any:
    """Ask for a number, with `close` and `open` as given."""
    return ask(
        text.replace("close", "bar.close").replace("open", "bar.open"),
        Moment({f"bar.{name}": value for name, value in values.items()}),
        Kind.NUMBER,
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1 - 0.9", "0.1"),
        ("0.1 * 3", "0.3"),
        ("1 / 8", "0.125"),
        ("1 / 3", "0." + "3" * 34),
        ("2 / 3", "0." + "6" * 33 + "7"),
        ("2 + 3 * 4", "14"),
        ("10 - 4 - 3", "3"),
        ("16 / 4 / 2", "2"),
        ("-2 * -3", "6"),
        ("--2", "2"),
        ("abs(-2)", "2"),
        ("abs(2)", "2"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 1, 2)", "3"),
        (f"{NINES} * {NINES}", "9.99999999999999999999999999998E+59"),
    ],
)
def test_numbers_are_decimals(text: str, value: str) -> None:
    assert number(text) == D(value)


def test_half_of_a_last_digit_goes_to_the_even_one() -> None:
    for digits, rounded in (("05", "0"), ("15", "2"), ("25", "2"), ("051", "1")):
        close = D("1." + "0" * 32 + digits)
        assert number("close + 0", close=close) == D("1." + "0" * 32 + rounded)
        assert number("-close", close=close) == D("-1." + "0" * 32 + rounded)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "0 / 0",
        "0 / -0",
        "close / (open - open)",
        "close * close",
        "close + close",
        "-close - close",
        "open / close",
        "open * open",
        "1 / 0 + 1",
        "-(1 / 0)",
        "abs(1 / 0)",
        "min(1, 1 / 0)",
        "max(1 / 0, 1)",
        "0 * (1 / 0)",
    ],
)
def test_what_has_no_sensible_result_is_unknown(text: str) -> None:
    assert number(text, close=HUGE, open=TINY) is UNKNOWN


def test_a_number_out_of_all_range_can_be_compared_and_nothing_else() -> None:
    far = moment(changes={"bar.close": D("1E+7000"), "bar.open": D("1.5E-7000")})
    assert ask("bar.close > 1 and bar.open < 1 and bar.open > 0", far) is True
    assert ask("max(bar.close, 1) > 1", far) is True
    for text in ("-bar.close < 0", "abs(bar.close) > 0", "bar.close + 1 > 0", "-bar.open < 0"):
        assert ask(text, far) is UNKNOWN


def test_a_division_by_zero_says_nothing_about_the_rest() -> None:
    assert ask("1 / 0 > 1") is UNKNOWN
    assert ask("1 / 0 > 1 or true") is True
    assert ask("1 / 0 > 1 and false") is False
    assert ask("not 1 / 0 > 1") is UNKNOWN


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_unknown(value: str) -> None:
    scope = moment(changes={"bar.close": D(value), "sma(10)": D(value)})
    for text in ("bar.close == bar.close", "sma(10) > 0", "sma(10) < 0", "abs(bar.close) > 0"):
        assert ask(text, scope) is UNKNOWN


@pytest.mark.parametrize(
    ("sign", "less", "same", "greater"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_every_comparison_says_what_it_says(
    sign: str, less: bool, same: bool, greater: bool
) -> None:
    for value, expected in ((D(9), less), (D("10.0"), same), (D(11), greater)):
        assert ask(f"bar.close {sign} 10", moment(changes={"bar.close": value})) is expected
    for at, expected in ((time(9), less), (time(10), same), (time(11), greater)):
        assert ask(f"time.now {sign} '10:00'", moment(changes={"time.now": at})) is expected


def test_numbers_are_compared_exactly() -> None:
    close = D("1." + "0" * 40 + "1")  # of more digits than any arithmetic here keeps
    assert ask("bar.close > 1", moment(changes={"bar.close": close})) is True
    assert ask("max(bar.close, 1) > 1", moment(changes={"bar.close": close})) is True
    assert ask("bar.close + 0 > 1", moment(changes={"bar.close": close})) is False
    assert ask("bar.close == 101.50") is True


@pytest.mark.parametrize(
    "text",
    [
        "1 / 3 > 0.33333333333333333333333333333",
        "bar.close * 1.23456789 > 125.3",
        "-bar.close < 0",
        "abs(-bar.close) == 101.5",
        "1 / 0 > 1",
        "bar.close > 101.4999999",
    ],
)
def test_what_somebody_sets_for_the_whole_thread_changes_nothing(text: str) -> None:
    usual = ask(text)
    with decimal.localcontext() as ambient:
        ambient.prec = 2
        ambient.rounding = decimal.ROUND_UP
        for signal in ambient.traps:
            ambient.traps[signal] = True
        for flag in ambient.flags:
            ambient.flags[flag] = False
        assert ask(text) is usual
        assert not any(ambient.flags.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time.now == '10:30'", True),
        ("time.now >= '10:30'", True),
        ("'09:45' <= time.now < '15:45'", True),
        ("'09:30' <= '09:45' <= time.now", True),
        ("time.now > '10:30'", False),
        ("time.now != '10:29'", True),
    ],
)
def test_times_are_compared_with_the_clock(text: str, expected: bool) -> None:
    assert ask(text) is expected
    assert ask(text, moment(changes={"time.now": UNKNOWN})) is UNKNOWN


def test_times_are_exact() -> None:
    late = moment(changes={"time.now": time(10, 30, 1)})
    assert ask("time.now > '10:30'", late) is True
    assert ask("time.now == '10:30'", late) is False


def test_a_text_may_be_a_member_of_an_enumeration() -> None:
    scope = moment(changes={"signal.action": SignalAction.BUY})
    assert ask("signal.action == 'BUY'", scope) is True
    assert ask("signal.action in ('BUY', 'SELL')", scope) is True
    assert ask("signal.action in ('SELL',)", scope) is False


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("bar.close > 1", "bar.close", 2.0),
        ("bar.close > 1", "bar.close", 2),
        ("bar.close > 1", "bar.close", True),
        ("bar.close > 1", "bar.close", None),
        ("bar.close == 1", "bar.close", "1"),
        ("symbol == 'A'", "symbol", D(1)),
        ("symbol in ('A',)", "symbol", None),
        ("market.is_open", "market.is_open", 1),
        ("not market.is_open", "market.is_open", None),
        ("market.is_open or true", "market.is_open", "yes"),
        ("time.now == '10:00'", "time.now", "10:00"),
        ("time.now == '10:00'", "time.now", time(10, tzinfo=UTC)),
        ("sma(10) == 1", "sma(10)", 1.0),
        ("sma(10) == 1", "sma(10)", "up"),
    ],
)
def test_a_scope_that_breaks_its_promise_is_found_out(text: str, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name.partition("(")[0]):
        ask(text, moment(changes={name: value}))


def test_a_deep_and_a_wide_expression_can_be_asked() -> None:
    deep = "(1 + " * 16 + "bar.close" + ")" * 16 + " > 1"
    assert ask(deep) is True
    assert ask("1" + " - 1" * 63 + " == -62") is True
    assert ask("-" * 63 + "1 == -1") is True
    assert ask("not " * 64 + "true") is True
    assert ask(" and ".join(["market.is_open"] * 100)) is True
    nested = "previous(" * 16 + "bar.close" + ")" * 16 + " > 1"
    assert ask(nested) is UNKNOWN
