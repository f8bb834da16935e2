from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.rules.actions.scale_in import ScaleIn
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import Add, CannotWish
from tests.rules.moments import D, holding, moment


def added(one: ScaleIn, quantity: int | str = 10, **more: Any) -> Decimal | None:
    wishes = one.wishes(moment(held=holding(quantity, **more)))
    return wishes[0].quantity if wishes else None


def test_it_is_called_scale_in_and_needs_no_indicator() -> None:
    assert ACTIONS["scale_in"] is ScaleIn
    assert ScaleIn(quantity=D(1)).indicators == frozenset()


@pytest.mark.parametrize("held", [10, -10])
def test_it_adds_a_number_or_a_part_on_the_side_that_is_held(held: int) -> None:
    assert ScaleIn(quantity=D(5)).wishes(moment(held=held)) == (Add(symbol="AAPL", quantity=D(5)),)
    assert added(ScaleIn(fraction=D("0.5")), held) == 5
    assert added(ScaleIn(fraction=D("0.55")), held) == 5
    assert added(ScaleIn(fraction=D(2)), held) == 20


@pytest.mark.parametrize(("up_to", "expected"), [(20, 5), (12, 2), (11, 1), (10, None), (5, None)])
def test_it_never_goes_beyond_what_it_may_hold(up_to: int, expected: int | None) -> None:
    for held in (10, -10):
        assert added(ScaleIn(quantity=D(5), up_to=D(up_to)), held) == expected


def test_less_than_one_is_nothing() -> None:
    assert added(ScaleIn(fraction=D("0.09"))) is None
    assert added(ScaleIn(fraction=D("0.1"))) == 1


@pytest.mark.parametrize("busy", [{"is_entering": True}, {"is_leaving": True}])
def test_while_something_is_under_way_it_adds_nothing(busy: dict[str, Any]) -> None:
    assert ScaleIn(quantity=D(5)).wishes(moment(held=holding(10, **busy))) == ()


def test_without_a_position_there_is_nothing_to_add_to() -> None:
    with pytest.raises(CannotWish, match="nothing is held in AAPL"):
        added(ScaleIn(quantity=D(5)), 0)
    with pytest.raises(CannotWish, match="nobody knows"):
        added(ScaleIn(quantity=D(5)), is_known=False)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "either quantity or fraction"),
        ({"quantity": D(1), "fraction": D(1)}, "either quantity or fraction"),
        ({"quantity": D(0)}, "quantity must be above 0"),
        ({"quantity": D("NaN")}, "quantity must be above 0"),
        ({"fraction": D("-0.5")}, "fraction must be above 0"),
        ({"fraction": D("Infinity")}, "fraction must be above 0"),
        ({"quantity": D(1), "up_to": D(0)}, "up_to must be above 0"),
        ({"quantity": D(1), "up_to": D("NaN")}, "up_to must be above 0"),
    ],
)
def test_figures_that_mean_nothing_are_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ScaleIn(**fields)


FIGURES = st.decimals(min_value="0.01", max_value=1_000, places=2)


@given(FIGURES, FIGURES, st.booleans(), FIGURES, st.booleans())
def test_it_is_never_more_than_it_may_be(
    held: Decimal, figure: Decimal, is_part: bool, up_to: Decimal, is_short: bool
) -> None:
    one = ScaleIn(**{"fraction" if is_part else "quantity": figure}, up_to=up_to)
    more = added(one, str(-held if is_short else held))
    assert more is None or (more > 0 and more == more.to_integral_value())
    assert more is None or held + more <= up_to
