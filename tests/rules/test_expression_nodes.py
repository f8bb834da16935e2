from __future__ import annotations

import pytest

from ibkr_trader.rules.expression_kinds import Kind
from tests.rules.expression_world import read


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # blanks, quotes, truths, lists
        ("  bar.close>1  ", "bar.close > 1"),
        ('symbol == "A"', "symbol == 'A'"),
        ('symbol == "it\'s"', 'symbol == "it\'s"'),
        ("symbol == '\"'", "symbol == '\"'"),
        ("True == False", "true == false"),
        ("symbol in('A',)", "symbol in ('A',)"),
        ("symbol not in('A','B',)", "symbol not in ('A', 'B')"),
        ("'09:05'<time.now", "'09:05' < time.now"),
        ("sma( 10 )>bands(5,0.50)", "sma(10) > bands(5, 0.50)"),
        ("sma( 10 )>vwap( )", "sma(10) > vwap()"),
        ("min(1,bar.close,2)>-1", "min(1, bar.close, 2) > -1"),
        # parentheses that say nothing
        ("((bar.close) > (1))", "bar.close > 1"),
        ("(true and true) and (true and true)", "true and true and true and true"),
        ("true or (true or true)", "true or true or true"),
        ("true or (true and true)", "true or true and true"),
        ("not (bar.close > 1)", "not bar.close > 1"),
        ("not (symbol in ('A',))", "not symbol in ('A',)"),
        ("not (not true)", "not not true"),
        ("(1 + 2) + 3 > 0", "1 + 2 + 3 > 0"),
        ("(1 * 2) + 3 > 0", "1 * 2 + 3 > 0"),
        ("1 + (2 * 3) > 0", "1 + 2 * 3 > 0"),
        ("(-1) * 2 > 0", "-1 * 2 > 0"),
        ("-(-(1)) > 0", "--1 > 0"),
        # parentheses that do
        ("1 + (2 + 3) > 0", "1 + (2 + 3) > 0"),
        ("1 - (2 - 3) > 0", "1 - (2 - 3) > 0"),
        ("8 / (4 / 2) > 0", "8 / (4 / 2) > 0"),
        ("8 / (4 * 2) > 0", "8 / (4 * 2) > 0"),
        ("(1 + 2) * 3 > 0", "(1 + 2) * 3 > 0"),
        ("-(1 + 2) > 0", "-(1 + 2) > 0"),
        ("-(1 * 2) > 0", "-(1 * 2) > 0"),
        ("(true or true) and true", "(true or true) and true"),
        ("not (true or true)", "not (true or true)"),
        ("not (true and true)", "not (true and true)"),
        ("(1 < 2) == true", "(1 < 2) == true"),
        ("true == (1 < 2)", "true == (1 < 2)"),
        ("(not true) == true", "(not true) == true"),
        ("(symbol in ('A',)) == true", "(symbol in ('A',)) == true"),
        ("(true and true) == true", "(true and true) == true"),
        ("previous((true or true))", "previous(true or true)"),
        ("crosses_above((1 + 1), 2)", "crosses_above(1 + 1, 2)"),
    ],
)
def test_there_is_one_way_to_write_it(text: str, written: str) -> None:
    one = read(text)
    assert one.text == written
    assert read(written) == one


def test_numbers_are_written_without_an_exponent() -> None:
    for text in ("0.0000000001", "0.50", "100000000000000000000"):
        assert read(text, Kind.NUMBER).text == text
    assert read("bands(20, 0.0000000001) > 1").text == "bands(20, 0.0000000001) > 1"
