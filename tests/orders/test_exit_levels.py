"""Levels of exits: a price, or a part of the cost on the right side of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.orders.exit_levels import Level, Wanted

COST = Decimal(150)
PRICE, PART = Level(price=Decimal(145)), Level(fraction=Decimal("0.02"))


def test_a_level_is_a_price_or_a_part_of_the_cost() -> None:
    assert PRICE.beside(COST, -1) == Decimal(145)
    assert (PART.beside(COST, -1), PART.beside(COST, 1)) == (Decimal(147), Decimal(153))
    assert Level().beside(COST, 1) == COST


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (Wanted(), ""),
        (Wanted(stop=PRICE), ""),
        (Wanted(stop=PRICE, target=PART), ""),
        (Wanted(trail=PART, target=PRICE), ""),
        (Wanted(stop=PRICE, trail=PART), "exclude each other"),
        (Wanted(target=PRICE), "needs a stop or a trail"),
    ],
)
def test_what_contradicts_itself(wanted: Wanted, fault: str) -> None:
    assert fault in wanted.fault
    assert bool(fault) is bool(wanted.fault)
