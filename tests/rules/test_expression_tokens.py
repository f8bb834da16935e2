from __future__ import annotations

import pytest

from ibkr_trader.rules.expression_tokens import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_LENGTH,
    MAX_OPERATIONS,
    Role,
    tokens,
)
from ibkr_trader.rules.expression_wording import ExpressionError

CHARACTERS = "allowed: the printable characters of ASCII, without the backslash"
DOT = "a number begins with a digit (0.5), a dot stands between two words (bar.close)"
JOIN = "join them by an operator or a comma"
NUMBER = "write 12 or 0.85"
SPLIT = "make two rules of it"
COMMENT = "comments belong into the file, outside the expression"
DEEP = "more than 16 parentheses within each other"
TEST = "what is unknown makes the whole unknown: it needs no test"
FOUR = "there are + - * / only"


def refused(text: str) -> tuple[int, str, str]:
    with pytest.raises(ExpressionError) as caught:
        tokens(text)
    return caught.value.column, caught.value.message, caught.value.hint


def test_words_have_a_role_and_a_column() -> None:
    found = tokens(" not a.b in('x',\"it's\") and -1.50<=f(true)")
    assert [(token.role.value, token.text, token.column) for token in found] == [
        ("not", "not", 2),
        ("name", "a.b", 6),
        ("infix", "in", 10),
        ("open", "(", 12),
        ("text", "'x'", 13),
        ("comma", ",", 16),
        ("text", '"it\'s"', 17),
        ("close", ")", 23),
        ("infix", "and", 25),
        ("minus", "-", 29),
        ("number", "1.50", 30),
        ("infix", "<=", 34),
        ("name", "f", 36),
        ("open", "(", 37),
        ("name", "true", 38),
        ("close", ")", 42),
    ]


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        # characters
        ("a > \uff11", 5, "'<U+FF11>' is not understood", CHARACTERS),
        ("a > \u0663", 5, "'<U+0663>' is not understood", CHARACTERS),
        ("a == 'ä'", 7, "'<U+00E4>' is not understood", CHARACTERS),
        ("a == '\u202e'", 7, "'<U+202E>' is not understood", CHARACTERS),
        ("a == '\\n'", 7, "'\\' is not understood", CHARACTERS),
        ("a\\\n> 1", 2, "'\\' is not understood", CHARACTERS),
        ("\0", 1, "'<U+0000>' is not understood", CHARACTERS),
        ("\ud800", 1, "'<U+D800>' is not understood", CHARACTERS),
        ("a\x7f", 2, "'<U+007F>' is not understood", CHARACTERS),
        ("a\u00a0> 1", 2, "'<U+00A0>' is not understood", CHARACTERS),
        ("a\n> 1", 2, "'<U+000A>' is not understood", "write it in one line"),
        ("a\t> 1", 2, "'<U+0009>' is not understood", "use a space"),
        ("a # b", 3, "'#' is not understood", COMMENT),
        ("a == '#\n'", 8, "'<U+000A>' is not understood", "write it in one line"),
        # signs
        ("a && b", 3, "'&' is not understood", "write and"),
        ("a || b", 3, "'|' is not understood", "write or"),
        ("!a", 1, "'!' is not understood", "write not, or !="),
        ("a = 1", 3, "'=' is not understood", "equality is =="),
        ("f(a=1)", 4, "'=' is not understood", "equality is =="),
        ("(a := 1)", 4, "':=' is not understood", "equality is =="),
        ("a ** 2", 3, "'**' is not understood", FOUR),
        ("a // 2", 3, "'//' is not understood", FOUR),
        ("a % 2", 3, "'%' is not understood", FOUR),
        ("().__class__", 3, "'.' is not understood", DOT),
        ("'a'.join", 4, "'.' is not understood", DOT),
        ("a . b", 3, "'.' is not understood", DOT),
        (".5", 1, "'.' is not understood", DOT),
        # numbers
        ("1e5", 1, "'1e5' is no number", NUMBER),
        ("a > 1E-5", 5, "'1E' is no number", NUMBER),
        ("1_000", 1, "'1_000' is no number", NUMBER),
        ("0x1F", 1, "'0x1F' is no number", NUMBER),
        ("0b1", 1, "'0b1' is no number", NUMBER),
        ("1j", 1, "'1j' is no number", NUMBER),
        ("007", 1, "'007' is no number", NUMBER),
        ("00", 1, "'00' is no number", NUMBER),
        ("5.", 1, "'5.' is no number", NUMBER),
        ("1.2.3", 1, "'1.2.3' is no number", NUMBER),
        ("1.real", 1, "'1.real' is no number", NUMBER),
        ("a > 1and b", 5, "'1and' is no number", NUMBER),
        ("a > 1" + "0" * MAX_DIGITS, 5, "31 digits; 30 is the most", ""),
        ("0." + "1" * MAX_DIGITS, 1, "31 digits; 30 is the most", ""),
        # words
        ("a.b.c", 1, "'a.b.c' has 2 dots; a name has one at most", ""),
        ("a is b", 3, "'is' is not understood", "equality is =="),
        ("a == None", 6, "'None' is not understood", TEST),
        ("a if b else c", 3, "'if' is not understood", "join conditions by and, or"),
        # texts
        ("a == 'b", 6, "the text \"'b\" has no end", ""),
        ("a == \"b'", 6, "the text \"\"b'\" has no end", ""),
        ("a == 'b' 'c'", 10, "\"'c'\" cannot follow \"'b'\"", JOIN),
        ("a == '''b'''", 8, "\"'b'\" cannot follow \"''\"", JOIN),
        ("f'{a}' == b", 2, "\"'{a}'\" cannot follow 'f'", JOIN),
        ("b == rb'a'", 8, "\"'a'\" cannot follow 'rb'", JOIN),
        # places
        ("a b", 3, "'b' cannot follow 'a'", JOIN),
        ("a > 1 2", 7, "'2' cannot follow '1'", JOIN),
        ("1(2)", 2, "'(' cannot follow '1'", JOIN),
        ("f(1)(2)", 5, "'(' cannot follow ')'", JOIN),
        ("(f)(1)", 4, "'(' cannot follow ')'", JOIN),
        ("a in ('b') c", 12, "'c' cannot follow ')'", JOIN),
        ("and a", 1, "something is missing before 'and'", ""),
        ("a and or b", 7, "something is missing before 'or'", ""),
        ("a > > 1", 5, "something is missing before '>'", ""),
        ("a <> 1", 4, "something is missing before '>'", ""),
        ("a > + 1", 5, "something is missing before '+'", ""),
        ("in ('a',)", 1, "something is missing before 'in'", ""),
        ("a and in ('a',)", 7, "something is missing before 'in'", ""),
        (")", 1, "something is missing before ')'", ""),
        ("a > )", 5, "something is missing before ')'", ""),
        ("(,)", 2, "something is missing before ','", ""),
        ("f(a,,b)", 5, "something is missing before ','", ""),
        ("f(*a)", 3, "something is missing before '*'", ""),
        ("a >", 3, "something is missing behind '>'", ""),
        ("a and not", 7, "something is missing behind 'not'", ""),
        ("a ,", 3, "something is missing behind ','", ""),
        ("(a > 1", 1, "'(' is never closed", ""),
        ("f((a)", 2, "'(' is never closed", ""),
        ("a > 1)", 6, "')' closes nothing", ""),
        # limits
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), 17, DEEP, SPLIT),
        ("f(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), 34, DEEP, SPLIT),
        ("a" + "+a" * (MAX_OPERATIONS + 1), 130, "more than 64 of + - * / and not", SPLIT),
        ("a" * (MAX_LENGTH + 1), 2001, "2,001 characters; 2,000 is the most", SPLIT),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_told_by_its_column(
    text: str, column: int, message: str, hint: str
) -> None:
    assert refused(text) == (column, message, hint)


@pytest.mark.parametrize("word", ["lambda", "await", "for", "a.class", "None.a", "True.real"])
def test_a_word_of_python_alone_is_not_understood(word: str) -> None:
    column, message, hint = refused(f"a > {word}")
    assert (column, message) == (5, f"'{word}' is not understood")
    assert hint.startswith("allowed: and or not in ==")


@pytest.mark.parametrize("sign", "[]{}:;@$?^~`")
def test_a_sign_of_nobody_is_not_understood(sign: str) -> None:
    column, message, hint = refused(f"a > 1 {sign} 2")
    assert (column, message) == (7, f"'{sign}' is not understood")
    assert hint.startswith("allowed: and or not in ==")


@pytest.mark.parametrize("text", ["", " ", " " * MAX_LENGTH])
def test_nothing_is_no_expression(text: str) -> None:
    assert refused(text)[:2] == (1, "there is no expression")


@pytest.mark.parametrize(
    "text",
    [
        "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH,
        "(a) + " * 40 + "(a)",  # beside each other is not within each other
        "a" + "+a" * MAX_OPERATIONS,
        "-" * MAX_OPERATIONS + "a",
        "a" * MAX_LENGTH,
        "9" * MAX_DIGITS,
        "0." + "9" * (MAX_DIGITS - 1),
        "not a not in ('b',)",
        "''",
        "f()",
    ],
)
def test_what_is_within_the_limits_passes(text: str) -> None:
    assert "".join(token.text for token in tokens(text)) == text.replace(" ", "")


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "and not"])
def test_every_operation_counts_against_the_limit(sign: str) -> None:
    assert tokens("a" + f" {sign} a" * MAX_OPERATIONS)
    assert refused("a" + f" {sign} a" * (MAX_OPERATIONS + 1))[1].startswith("more than 64 of")


def test_roles_have_their_tokens_names() -> None:
    assert {role.name for role in Role} >= {"NUMBER", "TEXT", "INFIX", "MINUS", "OPEN", "CLOSE"}
