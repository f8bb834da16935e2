"""Random well-typed expressions, and an evaluator of them that shares nothing with ours.

A drawn tree is a tuple: a word, and what it is about. The oracle walks it as it was drawn. It
reckons in fractions, rounded once after each step; and it joins truths by their least and
greatest, with false as 0, the unknown as a half and true as 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, Underflow
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ibkr_trader.rules.expression_kinds import UNKNOWN
from tests.rules.expression_world import NUMBERS, TRUTHS, D, Moment

Tree = tuple[Any, ...]
HALF = Fraction(1, 2)
ROUNDING = Context(
    prec=34, Emin=-6143, Emax=6144, traps=[DivisionByZero, InvalidOperation, Overflow, Underflow]
)
SYMBOLS = ("AAPL", "MSFT", "it's", "")
CLOCK = (time(9, 30), time(9, 45), time(16, 0))
CALLS = ("sma(10)", "sma(50)", "atr(14)")
ORDER = ("<", "<=", ">", ">=", "==", "!=")
JOINING = {"and", "or", "not"}
FUNCTIONS = ("min", "max", "abs", "previous", "crosses_above", "crosses_below")


# -- drawing ------------------------------------------------------------------------------------
# Each strategy is made once: at every place of a tree a new one would be made, and validated.


@cache
def literals() -> st.SearchStrategy[Tree]:
    """Numbers as people write them."""
    digits = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False)
    texts = digits.map(lambda value: f"{round(value, 6):f}") | st.sampled_from(["0", "0.1", "0.3"])
    return texts.map(lambda text: ("literal", text, Fraction(text)))


@cache
def numbers(depth: int = 2) -> st.SearchStrategy[Tree]:
    """Numbers: written, looked up, called, reckoned."""
    leaves = literals() | st.tuples(st.just("name"), st.sampled_from((*NUMBERS, *CALLS)))
    if not depth:
        return leaves
    one = st.deferred(lambda: numbers(depth - 1))
    return st.one_of(
        leaves,
        st.tuples(st.sampled_from("+-*/"), one, one),
        st.tuples(st.sampled_from(["negative", "abs", "previous"]), one),
        st.tuples(st.sampled_from(["min", "max"]), one, one, one),
    )


@cache
def comparisons() -> st.SearchStrategy[Tree]:
    """Comparisons of each kind, and what else gives a truth of something that is none."""
    moments = st.just(("name", "time.now")) | st.sampled_from(CLOCK).map(
        lambda at: ("literal", f"'{at:%H:%M}'", at)
    )
    texts = st.just(("name", "symbol")) | st.sampled_from(SYMBOLS).map(
        lambda text: ("literal", repr(text), text)
    )
    steps = st.lists(st.tuples(st.sampled_from(ORDER), numbers()), min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("chain"), numbers(), steps),
        st.tuples(
            st.just("chain"),
            st.just(("name", "time.now")),
            st.lists(st.tuples(st.sampled_from(ORDER), moments), min_size=1, max_size=2),
        ),
        st.tuples(
            st.just("chain"), texts, st.tuples(st.tuples(st.sampled_from(["==", "!="]), texts))
        ),
        st.tuples(
            st.sampled_from(["in", "not in"]),
            st.just(("name", "symbol")),
            st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=3).map(tuple),
        ),
        st.tuples(st.sampled_from(["crosses_above", "crosses_below"]), numbers(1), numbers(1)),
    )


@cache
def truths(depth: int = 3) -> st.SearchStrategy[Tree]:
    """Truths: looked up, compared, joined."""
    leaves = st.one_of(
        st.tuples(st.just("name"), st.sampled_from(TRUTHS)),
        st.sampled_from([("literal", "true", True), ("literal", "False", False)]),
        comparisons(),
    )
    if not depth:
        return leaves
    one = st.deferred(lambda: truths(depth - 1))
    return st.one_of(
        leaves,
        st.tuples(st.sampled_from(["not", "previous"]), one),
        st.tuples(st.sampled_from(["and", "or"]), one, one),
        st.tuples(st.sampled_from(["and", "or"]), one, one, one),
        st.tuples(st.just("chain"), one, st.tuples(st.tuples(st.sampled_from(["==", "!="]), one))),
    )


@cache
def snapshots() -> st.SearchStrategy[dict[str, Any]]:
    """What a scope knows at one moment: much of it unknown, some of it extreme."""
    unknown = st.just(UNKNOWN)
    extreme = st.sampled_from([D("9E+6144"), D("1E-6143"), D("NaN"), D("-Infinity"), D(0)])
    usual = st.decimals(min_value=-1000, max_value=1000, allow_nan=False, places=3)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys((*NUMBERS, *CALLS), usual | usual | extreme | unknown),
        **dict.fromkeys(TRUTHS, st.booleans() | unknown),
        "symbol": st.sampled_from(SYMBOLS) | unknown,
        "time.now": st.sampled_from((*CLOCK, time(9, 45, 1))) | unknown,
    }
    return st.fixed_dictionaries(kinds)


def scope(snaps: Sequence[dict[str, Any]]) -> Moment:
    """The newest of some moments, the first of them, with the others before it."""
    earlier = scope(snaps[1:]) if snaps[1:] else None
    return Moment(snaps[0], earlier)


# -- writing ------------------------------------------------------------------------------------


def text_of(tree: Tree) -> str:
    """Write a tree, with parentheses round everything."""
    word, *parts = tree
    if word in {"literal", "name"}:
        return str(parts[0])
    if word in {"in", "not in"}:
        return f"({text_of(parts[0])} {word} {parts[1]!r})"
    if word == "chain":
        steps = "".join(f" {sign} {text_of(operand)}" for sign, operand in parts[1])
        return f"({text_of(parts[0])}{steps})"
    texts = [text_of(part) for part in parts]
    if word in FUNCTIONS:
        return f"{word}({', '.join(texts)})"
    if len(texts) == 1:
        return f"({'-' if word == 'negative' else word} {texts[0]})"
    return f"({f' {word} '.join(texts)})"


# -- evaluating ---------------------------------------------------------------------------------


def answer(tree: Tree, snaps: Sequence[dict[str, Any]]) -> Any:
    """Evaluate a tree at the first of some moments; numbers come as fractions."""
    word, *parts = tree
    if not snaps:
        return UNKNOWN
    if word == "literal":
        return parts[1]
    if word == "name":
        return looked_up(snaps[0][parts[0]])
    if word == "previous":
        return answer(parts[0], snaps[1:])
    return combined(word, parts, snaps)


def combined(word: str, parts: Sequence[Any], snaps: Sequence[dict[str, Any]]) -> Any:
    if word == "chain":
        return chained(answer(parts[0], snaps), parts[1], snaps)
    if word.startswith("crosses"):
        return crossed(word, parts, snaps)
    if word.endswith("in") and word != "min":
        found = answer(parts[0], snaps)
        return UNKNOWN if found is UNKNOWN else (found in parts[1]) == (word == "in")
    values = [answer(part, snaps) for part in parts]
    return joined(word, values) if word in JOINING else reckoned(word, values)


def looked_up(value: Any) -> Any:
    if isinstance(value, Decimal):
        return Fraction(value) if value.is_finite() else UNKNOWN
    return value


def weight(value: Any) -> Fraction:
    return HALF if value is UNKNOWN else Fraction(int(value))


def joined(word: str, values: Sequence[Any]) -> Any:
    weights = [weight(value) for value in values]
    found = {"and": min(weights), "or": max(weights), "not": 1 - weights[0]}[word]
    return {Fraction(0): False, HALF: UNKNOWN, Fraction(1): True}[found]


def compared(left: Any, sign: str, right: Any) -> Any:
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    is_less = left < right
    is_equal = left == right
    return {
        "<": is_less,
        "<=": is_less or is_equal,
        ">": not is_less and not is_equal,
        ">=": not is_less,
        "==": is_equal,
        "!=": not is_equal,
    }[sign]


def chained(left: Any, steps: Sequence[tuple[str, Tree]], snaps: Sequence[dict[str, Any]]) -> Any:
    found = []
    for sign, operand in steps:
        right = answer(operand, snaps)
        found.append(compared(left, sign, right))
        left = right
    return joined("and", found)


def crossed(word: str, parts: Sequence[Tree], snaps: Sequence[dict[str, Any]]) -> Any:
    left, right = parts if word == "crosses_above" else reversed(parts)
    was = answer(left, snaps[1:]), answer(right, snaps[1:])
    now = answer(left, snaps), answer(right, snaps)
    if any(value is UNKNOWN for value in (*was, *now)):
        return UNKNOWN
    return was[0] <= was[1] and now[0] > now[1]


def reckoned(word: str, values: Sequence[Any]) -> Any:
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    if word in {"min", "max"}:
        return sorted(values)[0 if word == "min" else -1]
    one, other = values[0], values[-1]
    if word == "/" and not other:
        return UNKNOWN
    exact = {
        "+": lambda: one + other,
        "-": lambda: one - other,
        "*": lambda: one * other,
        "/": lambda: one / other,
        "negative": lambda: -one,
        "abs": lambda: abs(one),
    }[word]()
    try:
        return Fraction(ROUNDING.divide(Decimal(exact.numerator), Decimal(exact.denominator)))
    except ArithmeticError:
        return UNKNOWN
