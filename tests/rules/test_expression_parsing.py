from __future__ import annotations

import pytest

from ibkr_trader.rules.expression_kinds import Kind
from ibkr_trader.rules.expression_nodes import Literal, Lookup, Negative, kind_of
from ibkr_trader.rules.expression_tokens import MAX_LENGTH
from ibkr_trader.rules.expression_wording import ExpressionError
from tests.rules.expression_world import D, read

BEHIND_IN = "a list of texts follows in"
COMPARE = "compare it with something"
CHAIN = "in cannot stand in a chain of comparisons"
FUNCTIONS = (
    "known: abs(…), atr(…), bands(…), crosses_above(…), crosses_below(…), highest(…), max(…), "
    "min(…), previous(…), sma(…), trend(…), vwap(…)"
)
JOIN = "join two conditions by and"
LIST = "a list of one is written ('AAPL',)"
NAMES = (
    "known: bar.close, bar.open, desk.is_armed, market.is_open, position.is_flat, "
    "position.profit_pct, quote.spread, signal.action, signal.confidence, symbol, time.now"
)
NEVER = "signal.action is never"
NOT = "not stands before a condition, or before in"
ONE_OF_TWO = "a list of texts must follow in"
QUOTES = "a text stands in quotes, a number without"
THREE = "known: 'BUY', 'SELL', 'SHORT'"
TIME = "a time is written '09:45'"


def refused(text: str) -> tuple[int, str, str]:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    return caught.value.column, caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        # names
        ("bar.clse > 1", 1, "there is no name 'bar.clse'", "did you mean bar.close?"),
        ("true and  Symbol == 'A'", 11, "there is no name 'Symbol'", "did you mean symbol?"),
        ("signal.action == BUY", 18, "there is no name 'BUY'", f"a text stands in quotes; {NAMES}"),
        ("signal.x.y > 1", 1, "'signal.x.y' has 2 dots; a name has one at most", ""),
        ("zz.qqqq > 1", 1, "there is no name 'zz.qqqq'", NAMES),
        ("sma > 1", 1, "sma is a function", "write sma(…)"),
        ("previous > 1", 1, "previous is a function", "write previous(…)"),
        # functions
        ("  smma(10) > 1", 3, "there is no function 'smma'", "did you mean sma(…)?"),
        ("qqqq(10) > 1", 1, "there is no function 'qqqq'", FUNCTIONS),
        ("bar.close(1) > 1", 1, "there is no function 'bar.close'", FUNCTIONS),
        ("true(1)", 1, "there is no function 'true'", "did you mean trend(…)?"),
        ("sma() > 1", 1, "sma takes 1 argument (bars), not 0", ""),
        ("1 < sma(1, 2)", 5, "sma takes 1 argument (bars), not 2", ""),
        ("bands() > 1", 1, "bands takes 1 to 2 arguments (bars, width), not 0", ""),
        ("bands(1, 2, 3) > 1", 1, "bands takes 1 to 2 arguments (bars, width), not 3", ""),
        ("vwap(1) > 1", 1, "vwap takes 0 arguments (), not 1", ""),
        ("sma(0) > 1", 1, "sma(0): bars are whole, from 1 to 500", ""),
        ("sma(2.5) > 1", 1, "sma(2.5): bars are whole, from 1 to 500", ""),
        ("sma(-5) > 1", 1, "sma(-5): bars are whole, from 1 to 500", ""),
        ("sma(bar.close) > 1", 5, "sma takes written numbers, not 'bar.close'", ""),
        ("sma('10') > 1", 5, "sma takes written numbers, not \"'10'\"", ""),
        ("sma(true) > 1", 5, "sma takes written numbers, not 'true'", ""),
        ("sma(5 + 5) > 1", 5, "sma takes written numbers, not '5 + 5'", ""),
        ("sma(--5) > 1", 5, "sma takes written numbers, not '--5'", ""),
        ("min(1) > 1", 1, "min takes 2 to 100 arguments, not 1", ""),
        ("max() > 1", 1, "max takes 2 to 100 arguments, not 0", ""),
        ("abs(1, 2) > 1", 1, "abs takes 1 argument, not 2", ""),
        ("max(1, symbol) > 1", 8, "max is for numbers; 'symbol' is a text", ""),
        ("previous()", 1, "previous takes 1 argument, not 0", ""),
        ("previous(1, 2)", 1, "previous takes 1 argument, not 2", ""),
        ("crosses_above(1)", 1, "crosses_above takes 2 arguments, not 1", ""),
        ("crosses_below(1, 2, 3)", 1, "crosses_below takes 2 arguments, not 3", ""),
        ("crosses_above(1, symbol)", 18, "crosses_above is for numbers; 'symbol' is a text", ""),
        # kinds
        ("bar.close", 1, "this gives a number; a truth is wanted", COMPARE),
        ("not bar.close", 5, "not is for truths; 'bar.close' is a number", COMPARE),
        ("true and bar.close", 10, "and is for truths; 'bar.close' is a number", COMPARE),
        ("time.now or true", 1, "or is for truths; 'time.now' is a time", COMPARE),
        ("1 + symbol > 2", 5, "+ is for numbers; 'symbol' is a text", ""),
        ("1 - 'a' > 2", 5, "- is for numbers; \"'a'\" is a text", ""),
        ("true * 2 > 2", 1, "* is for numbers; 'true' is a truth", ""),
        ("2 / time.now > 2", 5, "/ is for numbers; 'time.now' is a time", ""),
        ("-market.is_open > 1", 2, "- is for numbers; 'market.is_open' is a truth", ""),
        # comparisons
        ("signal.confidence > '0.85'", 21, "a number cannot be compared with a text", QUOTES),
        ("symbol == 5", 11, "a text cannot be compared with a number", QUOTES),
        ("market.is_open == 1", 19, "a truth cannot be compared with a number", ""),
        ("time.now >= 945", 13, "a time cannot be compared with a number", ""),
        ("time.now == symbol", 13, "a time cannot be compared with a text", ""),
        ("1 < 2 < 'a'", 9, "a number cannot be compared with a text", QUOTES),
        ("symbol > 'A'", 10, "a text has no order, so > says nothing", "use == or !="),
        ("true <= false", 9, "a truth has no order, so <= says nothing", "use == or !="),
        ("symbol == 'A' in ('A',)", 18, CHAIN, JOIN),
        ("symbol in ('A',) == true", 11, CHAIN, JOIN),
        # times
        ("time.now >= '9:45'", 13, "'9:45' is no time", TIME),
        ("time.now >= '24:00'", 13, "'24:00' is no time", TIME),
        ("time.now >= '09:60'", 13, "'09:60' is no time", TIME),
        ("time.now >= '09:45:00'", 13, "'09:45:00' is no time", TIME),
        ("'noon' < time.now", 1, "'noon' is no time", TIME),
        ("'09:45' <= time.now < 'x'", 23, "'x' is no time", TIME),
        # closed sets of texts
        ("signal.action == 'BYU'", 18, f"{NEVER} 'BYU'", "did you mean 'BUY'?"),
        ("signal.action != 'buy'", 18, f"{NEVER} 'buy'", "did you mean 'BUY'?"),
        ("'zzz' == signal.action", 1, f"{NEVER} 'zzz'", THREE),
        ("previous(previous(signal.action)) == ''", 38, f"{NEVER} ''", THREE),
        ("signal.action in ('BUY', 'SEL')", 26, f"{NEVER} 'SEL'", "did you mean 'SELL'?"),
        ("symbol == signal.action == 'x'", 28, f"{NEVER} 'x'", THREE),
        # lists
        ("symbol in ('AAPL')", 12, ONE_OF_TWO, LIST),
        ("symbol in 'AAPL'", 11, ONE_OF_TWO, LIST),
        ("symbol in symbol", 11, ONE_OF_TWO, LIST),
        ("symbol in ()", 11, ONE_OF_TWO, LIST),
        ("symbol not in ('A', 1)", 21, "'1' is no text", "a text stands in quotes"),
        ("symbol in (symbol, 'A')", 12, "'symbol' is no text", "a text stands in quotes"),
        ("time.now in ('09:45',)", 1, "in is for texts; 'time.now' is a time", ""),
        ("bar.close in ('1',)", 1, "in is for texts; 'bar.close' is a number", ""),
        ("('A', 'B')", 1, "a list cannot stand here", BEHIND_IN),
        ("'A', 'B'", 1, "a list cannot stand here", BEHIND_IN),
        ("()", 1, "a list cannot stand here", BEHIND_IN),
        ("  symbol == ('A',)", 13, "a list cannot stand here", BEHIND_IN),
        # not, where nothing before the parser looks for it
        ("1 + not true", 5, "'not' cannot stand here", NOT),
        ("true == not true", 9, "'not' cannot stand here", NOT),
        ("   1 + not true", 8, "'not' cannot stand here", NOT),
        ("not in ('a',)", 5, "'in' cannot stand here", NOT),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_by_its_column(
    text: str, column: int, message: str, hint: str
) -> None:
    assert refused(text) == (column, message, hint)


def test_a_text_followed_by_not_is_refused_wherever_the_parser_stumbles() -> None:
    column, message, hint = refused("market.is_open not market.is_open")
    assert column > 15
    assert message.endswith("cannot stand here")
    assert hint == NOT


@pytest.mark.parametrize(
    "text",
    [
        "__class__",
        "().__class__",
        "symbol.__class__",
        "symbol.__class__ == 'x'",
        "bar.close.real > 1",
        "().__class__.__bases__[0].__subclasses__()",
        "'{0.__class__}'.format(symbol) == 'x'",
        "f'{symbol}' == 'x'",
        'f"{symbol.__class__}" == "x"',
        "t'{symbol}' == 'x'",
        "b'x' == symbol",
        "r'x' == symbol",
        "(lambda: true)()",
        "lambda: 1",
        "(x := true)",
        "[x for x in symbol]",
        "(x for x in symbol)",
        "{x: 1 for x in symbol}",
        "{symbol}",
        "open('x')",
        "eval('1')",
        "exec('1')",
        "__import__('os')",
        "__builtins__",
        "print(symbol)",
        "getattr(symbol, 'x')",
        "symbol[0]",
        "symbol[0:1]",
        "true if true else false",
        "await symbol",
        "yield",
        "min(*symbol)",
        "min(**symbol)",
        "min(1, 2, key=abs) > 1",
        "sma(bars=10) > 1",
        "2 ** 9999999999 > 1",
        "2 % 2 == 0",
        "2 // 2 == 1",
        "1 << 9999999 > 1",
        "~1 > 1",
        "+1 > 0",
        "1 @ 1 > 1",
        "1 is 1",
        "symbol is not None",
        "None",
        "...",
        "Ellipsis",
        "1j == 1",
        "'a' * 9999999999 == 'b'",
        "'a' + 'b' == symbol",
        "symbol % 'b' == symbol",
        "import os",
        "true; true",
        "true\ntrue",
        "@true",
        "del symbol",
        "assert true",
        "NaN > 1",
        "inf > 1",
        "Infinity > 1",
        "not_in",
        "print",
        "true,",
        "(true,)",
        "*true",
        "`symbol`",
        "symbol -> 1",
        "a: true",
        "sma.previous(10) > 1",
        "previous.x",
        "(sma)(10) > 1",
        "sma(10)(10) > 1",
    ],
)
def test_nothing_of_python_that_is_not_ours_gets_in(text: str) -> None:
    with pytest.raises(ExpressionError):
        read(text)


def test_numbers_are_what_is_written() -> None:
    for text in ("0.85", "0.1", "1.10", "0", "0." + "0" * 28 + "1", "9" * 30):
        root = read(text, Kind.NUMBER).root
        assert root == Literal(Kind.NUMBER, D(text))
        assert str(root) == text
    assert read("-0.5", Kind.NUMBER).root == Negative(Literal(Kind.NUMBER, D("0.5")))


def test_kinds_are_known_before_anything_is_asked() -> None:
    assert kind_of(Lookup("symbol", Kind.TEXT)) is Kind.TEXT
    kinds = {
        "1 + 1": Kind.NUMBER,
        "-abs(1)": Kind.NUMBER,
        "trend(5)": Kind.NUMBER,
        "previous(symbol)": Kind.TEXT,
        "previous(time.now)": Kind.TIME,
        "previous(market.is_open)": Kind.TRUTH,
        "symbol in ('A',)": Kind.TRUTH,
        "crosses_above(1, 2)": Kind.TRUTH,
    }
    for text, kind in kinds.items():
        assert read(text, kind).kind is kind


def test_what_was_read_can_be_read_again_or_is_refused() -> None:
    dense = "1<2" + "<2" * 398  # 799 characters, and with blanks between them twice as many
    assert len(dense) < MAX_LENGTH
    wide = read(dense + "<2" * 100)
    assert read(wide.text) == wide
    column, message, _ = refused(" " + dense + "<2" * 101)
    assert (column, message) == (2, "2,001 characters with its blanks; 2,000 is the most")
