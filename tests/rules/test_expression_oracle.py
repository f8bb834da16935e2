"""Random expressions: what they give, that they can be read again, and that knowing more helps."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from ibkr_trader.rules.expression import Expression
from ibkr_trader.rules.expression_kinds import UNKNOWN, Kind
from ibkr_trader.rules.expression_wording import ExpressionError
from tests.rules.expression_oracle import (
    Tree,
    answer,
    numbers,
    scope,
    snapshots,
    text_of,
    truths,
)
from tests.rules.expression_world import read

SNAPS = st.lists(snapshots(), min_size=1, max_size=3)
Snaps = list[dict[str, Any]]


def drawn(tree: Tree, wants: Kind = Kind.TRUTH) -> Expression:
    """Read a drawn tree; one that is larger than we take is no example."""
    text = text_of(tree)
    try:
        return read(text, wants)
    except ExpressionError as error:
        assume(error.hint != "make two rules of it")
        raise


@given(tree=truths(), snaps=SNAPS)
def test_truths_are_what_the_oracle_says(tree: Tree, snaps: Snaps) -> None:
    assert drawn(tree).value(scope(snaps)) is answer(tree, snaps)


@given(tree=numbers(3), snaps=SNAPS)
def test_numbers_are_what_the_oracle_says(tree: Tree, snaps: Snaps) -> None:
    found = drawn(tree, Kind.NUMBER).value(scope(snaps))
    exact = Fraction(found) if isinstance(found, Decimal) else found
    assert exact == answer(tree, snaps)


@given(tree=truths(), snaps=SNAPS)
def test_what_is_written_is_read_back_and_means_the_same(tree: Tree, snaps: Snaps) -> None:
    one = drawn(tree)
    again = read(str(one))
    assert again == one
    assert str(again) == str(one)
    assert again.value(scope(snaps)) is one.value(scope(snaps))


@given(tree=numbers(3))
def test_amounts_are_read_back_too(tree: Tree) -> None:
    one = drawn(tree, Kind.NUMBER)
    assert read(str(one), Kind.NUMBER) == one


@given(tree=truths(), snaps=SNAPS, more=SNAPS)
def test_what_is_known_stays_so_when_more_is(tree: Tree, snaps: Snaps, more: Snaps) -> None:
    one = drawn(tree)
    before = one.value(scope(snaps))
    filled = [
        {name: told.get(name) if value is UNKNOWN else value for name, value in snap.items()}
        for snap, told in zip(snaps, more * 3, strict=False)
    ]
    after = one.value(scope([*filled, *more]))
    assert before is UNKNOWN or after is before


@given(tree=truths(), snaps=SNAPS)
def test_it_fails_if_and_only_if_a_part_of_it_does(tree: Tree, snaps: Snaps) -> None:
    one, now = drawn(tree), scope(snaps)
    assert (one.failing(now) == ()) is (one.value(now) is True)
    seen = one.explain(now)
    assert {name for name in seen if "(" not in name} <= set(one.names)
    assert {text for text in seen if text.startswith("sma")} <= set(map(str, one.calls))


@given(tree=truths(), snaps=SNAPS)
def test_no_more_is_asked_than_was_announced(tree: Tree, snaps: Snaps) -> None:
    one, now = drawn(tree), scope(snaps)
    needs = {**one.names, **{str(call): bars for call, bars in one.calls.items()}}
    one.value(now)
    one.explain(now)
    at, bars = now, 0
    while at is not None:
        assert all(needs[name] >= bars for name in at.asked)
        at, bars = at.earlier, bars + 1  # type: ignore[assignment]  # None ends the loop
