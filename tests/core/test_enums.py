"""Which side holds, adds and closes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.enums import Side


@pytest.mark.parametrize(("held", "side"), [("3", Side.BUY), ("-0.5", Side.SELL)])
def test_what_is_held_has_a_side_that_adds_and_one_that_closes(held: str, side: Side) -> None:
    assert Side.holding(Decimal(held)) is side
    assert Side.closing(Decimal(held)) is side.opposite
    # Closing takes away, whatever the sign.
    assert Side.closing(Decimal(held)).sign * Decimal(held) < 0
