from __future__ import annotations

from itertools import permutations, product

import pytest

from ibkr_trader.rules.expression_kinds import UNKNOWN, Unknown, Value
from tests.rules.expression_world import D, Moment, ask, moment

T, F, U = True, False, UNKNOWN
STATES: tuple[bool | Unknown, ...] = (T, F, U)
A, B, C = "position.is_flat", "market.is_open", "desk.is_armed"


def held(text: str, *states: bool | Unknown) -> Value | Unknown:
    """Ask of a text in which a, b and c stand for truths."""
    words = {"a": A, "b": B, "c": C}
    named = " ".join(words.get(word, word) for word in text.split())
    return ask(named, Moment(dict(zip((A, B, C), states, strict=False))))


def same(left: str, right: str, *states: bool | Unknown) -> bool:
    return held(left, *states) is held(right, *states)


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("a and b", {(T, T): T, (T, F): F, (T, U): U, (F, F): F, (F, U): F, (U, U): U}),
        ("a or b", {(T, T): T, (T, F): T, (T, U): T, (F, F): F, (F, U): U, (U, U): U}),
        ("a == b", {(T, T): T, (T, F): F, (T, U): U, (F, F): T, (F, U): U, (U, U): U}),
        ("a != b", {(T, T): F, (T, F): T, (T, U): U, (F, F): F, (F, U): U, (U, U): U}),
    ],
)
def test_two_truths_are_joined_as_kleene_has_it(
    text: str, table: dict[tuple[bool | Unknown, bool | Unknown], bool | Unknown]
) -> None:
    for (one, other), expected in table.items():
        assert held(text, one, other) is expected
        assert held(text, other, one) is expected


def test_the_opposite_of_the_unknown_is_unknown() -> None:
    assert [held("not a", state) for state in STATES] == [F, T, U]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("not not a", "a"),
        ("a and a", "a"),
        ("a or a", "a"),
        ("a and b", "b and a"),
        ("a or b", "b or a"),
        ("a and true", "a"),
        ("a or false", "a"),
        ("a and false", "false"),
        ("a or true", "true"),
        ("a and ( b and c )", "( a and b ) and c"),
        ("a or ( b or c )", "( a or b ) or c"),
        ("a and ( b or c )", "a and b or a and c"),
        ("a or b and c", "( a or b ) and ( a or c )"),
        ("a and ( a or b )", "a"),
        ("not ( a and b )", "not a or not b"),
        ("not ( a or b )", "not a and not b"),
        ("a != b", "not a == b"),
        ("a == b == c", "a == b and b == c"),
    ],
)
def test_the_laws_hold(left: str, right: str) -> None:
    for states in product(STATES, repeat=3):
        assert same(left, right, *states), states


@pytest.mark.parametrize("word", ["and", "or"])
def test_the_order_of_the_parts_changes_nothing(word: str) -> None:
    for states in product(STATES, repeat=3):
        results = {held(f" {word} ".join(order), *states) for order in permutations("abc")}
        assert len(results) == 1


def test_a_law_of_two_values_does_not_hold() -> None:
    assert held("a or not a", U) is U  # nobody knows: so nobody may act on it


@pytest.mark.parametrize(
    ("close", "average", "expected"),
    [
        ((D(9), D(11)), (D(10), D(10)), T),
        ((D(10), D(11)), (D(10), D(10)), T),  # it touched
        ((D(11), D(12)), (D(10), D(10)), F),  # it was there already
        ((D(9), D(10)), (D(10), D(10)), F),  # it only touches
        ((D(9), D(9)), (D(10), D(10)), F),
        ((D(10), D(10)), (D(11), D(9)), T),  # the other one moved
    ],
)
def test_a_crossing_is_the_first_bar_on_the_other_side(
    close: tuple[Value, Value], average: tuple[Value, Value], expected: bool
) -> None:
    before, now = (
        Moment({"bar.close": one, "bar.open": other})
        for one, other in zip(close, average, strict=True)
    )
    scope = Moment(now.values, before)
    assert ask("crosses_above(bar.close, bar.open)", scope) is expected
    assert ask("crosses_below(bar.open, bar.close)", scope) is expected  # seen from over there


def test_a_crossing_is_unknown_unless_all_of_it_is_known() -> None:
    names = ("bar.close", "bar.open")
    for missing in product((True, False), repeat=4):
        values = [UNKNOWN if gone else D(5) for gone in missing]
        before = Moment(dict(zip(names, values[:2], strict=True)))
        scope = Moment(dict(zip(names, values[2:], strict=True)), before)
        expected = UNKNOWN if any(missing) else False
        assert ask("crosses_above(bar.close, bar.open)", scope) is expected
        assert ask("crosses_below(bar.close, bar.open)", scope) is expected
    assert ask("crosses_above(bar.close, bar.open)", moment()) is UNKNOWN  # there is no bar before


def test_the_previous_is_of_one_bar_ago() -> None:
    first = moment(changes={"bar.close": D(1)})
    second = moment(first, changes={"bar.close": D(2)})
    third = moment(second, changes={"bar.close": D(3)})
    assert ask("previous(bar.close) == 2", third) is True
    assert ask("previous(previous(bar.close)) == 1", third) is True
    assert ask("previous(previous(previous(bar.close))) == 1", third) is UNKNOWN
    assert ask("previous(bar.close + previous(bar.close)) == 3", third) is True
    assert ask("previous(1) == 1", first) is UNKNOWN  # nobody knows that there was a bar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("3 < 2 < bar.close", False),  # whatever it is
        ("1 < bar.close < 3", UNKNOWN),
        ("bar.close < 3 < 2", False),
        ("1 < 2 < bar.close", UNKNOWN),
        ("1 < 2 > 1 != 5", True),
    ],
)
def test_a_chain_is_its_comparisons_joined_by_and(text: str, expected: bool | Unknown) -> None:
    assert ask(text, moment(changes={"bar.close": UNKNOWN})) is expected


def test_a_text_is_one_of_some_or_unknown() -> None:
    for text, states in (
        ("symbol in ('AAPL', 'MSFT')", (True, False, UNKNOWN)),
        ("symbol not in ('AAPL', 'MSFT')", (False, True, UNKNOWN)),
    ):
        found = tuple(
            ask(text, moment(changes={"symbol": symbol})) for symbol in ("MSFT", "MS", UNKNOWN)
        )
        assert found == states
