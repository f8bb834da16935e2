"""Since when something is held: the first execution of the position that there is now."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Position
from ibkr_trader.portfolio.positions import Book, opened_at
from tests.orders.samples import AAPL, ACCOUNT, fill, later


def book(*traded: int, base: int = 0) -> Book:
    """A ledger with an execution each minute: of so many, negative sold."""
    held = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(base), average_cost=Decimal(100)
    )
    fills = [
        fill(
            abs(quantity),
            side=Side.BUY if quantity > 0 else Side.SELL,
            key=f"f{number}",
            at=later(60 * number),
        )
        for number, quantity in enumerate(traded)
    ]
    return Book.on(held, fills)


@pytest.mark.parametrize(
    ("base", "traded", "minute"),
    [
        (0, (), None),
        (0, (10,), 0),
        (0, (-10,), 0),
        (0, (10, 5, -3), 0),
        (0, (10, -10), None),
        (0, (10, -10, 5), 2),
        (0, (10, -15), 1),  # turned: the short position began then
        (0, (-10, 25, -5), 1),
        (10, (5,), None),  # it was opened before the ledger begins
        (10, (-10, 5), 1),
        (10, (-15,), 0),
    ],
)
def test_a_position_is_as_old_as_its_first_execution(
    base: int, traded: tuple[int, ...], minute: int | None
) -> None:
    since = later(60 * minute) if minute is not None else None
    assert opened_at(book(*traded, base=base)) == since


def test_executions_count_by_their_time_and_not_by_when_they_were_heard_of() -> None:
    told = book(10, -10, 5)
    backwards = Book.on(told.base, tuple(reversed(list(told.fills.values()))))
    assert opened_at(backwards) == opened_at(told) == later(120)
