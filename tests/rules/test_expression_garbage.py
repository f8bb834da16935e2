"""Whatever stands in a file: an expression, or an error that names a column. Nothing else."""

from __future__ import annotations

import contextlib
import time as clock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.rules.expression_tokens import MAX_LENGTH
from ibkr_trader.rules.expression_wording import ExpressionError
from tests.rules.expression_world import NUMBERS, TRUTHS, read

WORDS = (
    *NUMBERS[:2], *TRUTHS[:2], "symbol", "time.now", "signal.action", "sma(10)", "sma", "previous(",
    "crosses_above(", "min(", "abs(", "and", "or", "not", "in", "not in", "==", "!=", "<", "<=",
    ">", ">=", "+", "-", "*", "/", "(", ")", ",", "1", "0.5", "'BUY'", "'09:45'", "('A',)", "true",
    "False", "**", "//", ":=", "=", "is", "lambda", "if", "else", "for", "None", "f'x'", "#", "\\",
    "'", '"', "[", "]", "{", "}", ".", "..", "__class__", "1e5", "0x1", "1_0", "\n", "\t", "\0",
    "\u202e", "é", "\ud800", "\u0661", "a" * 50, "9" * 20, "  ",
)  # fmt: skip
EVERYTHING = st.characters(exclude_categories=())  # lone surrogates, too
MANY = [
    "(" * 1000 + "1" + ")" * 1000,
    "[" * 1000,
    "(" * 2000,
    ")" * 2000,
    "f(" * 1000,
    "sma(" * 500,
    "previous(" * 200 + "bar.close" + ")" * 200,
    "-" * 2000,
    "- " * 1000,
    "not " * 500,
    "not " * 499 + "true",
    "1" + "+1" * 999,
    "1" + "<1" * 999,
    "1" + "==1" * 666,
    "'a'" * 600,
    "'a'==" * 399 + "'a'",
    "symbol in (" + "'a'," * 490 + ")",
    "symbol in (" + "'a'," * 490 + "1)",
    "true" + " and true" * 221,
    "true" + " or true and true" * 115 + " and",
    "min(" + "1," * 900 + "1) > 1",
    "bar.close > 1 and " * 110 + "bar.close > not",
    "a." * 1000,
    "a" * 2000,
    "a " * 1000,
    "9" * 2000,
    "1." * 1000,
    "'" * 2000,
    "'" * 1999,
    '"' * 1999,
    "''" * 1000,
    "\\" * 2000,
    "#" * 2000,
    "\0" * 2000,
    "\ud800" * 2000,
    "\u202e" * 2000,
    "\u0661" * 2000,
    "=" * 2000,
    "signal.confidenc" + "e" * 1900 + " > 1",
    "signal.action == '" + "B" * 1900 + "'",
    "x" * 10_000,
    "(" * 10_000,
    "bar.close > 1 and " * 600,
    "\U0010ffff" * 10_000,
]


def taken(text: str) -> bool:
    """Whether it is an expression; if not, the error names a column within the text."""
    try:
        one = read(text)
    except ExpressionError as error:
        refused = error
    else:
        assert read(str(one)) == one
        return True
    assert 1 <= refused.column <= max(1, len(text))
    assert str(refused).isprintable()
    assert len(str(refused)) < 400
    return False


@given(text=st.text(EVERYTHING, max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    taken(text)


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100))
def test_any_printable_text_is_read_or_refused(text: str) -> None:
    taken(text)


@given(words=st.lists(st.sampled_from(WORDS), max_size=30), joint=st.sampled_from(["", " "]))
def test_any_words_in_any_order_are_read_or_refused(words: list[str], joint: str) -> None:
    taken(joint.join(words))


@given(data=st.data())
def test_an_expression_with_one_change_is_read_or_refused(data: st.DataObject) -> None:
    text = "signal.action == 'BUY' and crosses_above(sma(10), 0.5 * sma(50)) and not desk.is_armed"
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 5))
    put = data.draw(st.sampled_from(WORDS) | st.text(EVERYTHING, max_size=3))
    taken(text[:at] + put + text[at + length :])


@pytest.mark.parametrize("text", MANY, ids=lambda text: f"{text[:12]!a}x{len(text)}")
def test_much_of_anything_is_read_or_refused_at_once(text: str) -> None:
    taken(text)
    spent = []
    for _ in range(3):
        start = clock.thread_time()
        with contextlib.suppress(ExpressionError):
            read(text)
        spent.append(clock.thread_time() - start)
    assert min(spent) < 0.1  # a few milliseconds; a stalled machine gets more


@pytest.mark.parametrize("text", [text for text in MANY if len(text) > MAX_LENGTH])
def test_too_long_is_refused_before_anything_looks_at_it(text: str) -> None:
    with pytest.raises(ExpressionError, match="2,000 is the most") as caught:
        read(text)
    assert caught.value.column == MAX_LENGTH + 1


def test_the_fuzz_reaches_both_sides() -> None:
    assert taken("true" + " and true" * 221)
    assert taken("symbol in (" + "'a'," * 390 + ")")
    assert not taken("true" + " and true" * 221 + " and")
