from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side
from ibkr_trader.rules.actions.close_all import CloseAll
from ibkr_trader.rules.moment import Holding
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import Exit
from tests.rules.moments import holding, moment

ONLY: Any = ["long", "short", "both"]
SIDES = {"long": Side.BUY, "short": Side.SELL, "both": None}


def closes(only: Any, held: Holding) -> bool:
    wishes = CloseAll(only=only).wishes(moment(held=held))
    assert wishes in {(), (Exit(symbol="AAPL", only=SIDES[only]),)}
    return bool(wishes)


def test_it_is_called_close_all_and_needs_no_indicator() -> None:
    assert ACTIONS["close_all"] is CloseAll
    assert CloseAll().indicators == frozenset()
    assert CloseAll() == CloseAll(only="both")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (holding(10), [True, False, True]),
        (holding(-10), [False, True, True]),
        (holding(0), [False, False, False]),
        (holding(0, is_entering=True), [True, True, True]),
        (holding(10, is_entering=True), [True, False, True]),
        (holding(-10, is_entering=True), [False, True, True]),
        (holding(10, is_leaving=True), [False, False, False]),
        (holding(0, is_known=False), [True, True, True]),
        (holding(10, is_known=False), [True, True, True]),
        (holding(10, is_known=False, is_leaving=True), [False, False, False]),
    ],
)
def test_it_ends_what_is_meant_and_what_nobody_knows_to_be_flat(
    held: Holding, expected: list[bool]
) -> None:
    assert [closes(only, held) for only in ONLY] == expected


@given(st.integers(-100, 100), st.booleans(), st.booleans())
def test_of_a_side_that_is_not_meant_nothing_is_wished(
    quantity: int, is_entering: bool, is_leaving: bool
) -> None:
    held = holding(quantity, is_entering=is_entering, is_leaving=is_leaving)
    assert not (quantity < 0 and closes("long", held))
    assert not (quantity > 0 and closes("short", held))
