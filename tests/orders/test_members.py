"""What has traded, where executions are corrected and the broker's figure says another thing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.orders import lifecycle
from ibkr_trader.orders.members import traded
from tests.orders.samples import fill, filled, order, working

if TYPE_CHECKING:
    from ibkr_trader.core import events as ev

TEN, FOUR = fill(10), fill(4, revision=2)
ID = TEN.order_id
BUSTED = (filled(TEN), working(ID, 10), filled(FOUR, replaces=TEN))
SIX = filled(fill(6, key="e2"))


def after(*news: ev.OrderEvent) -> Decimal:
    """Return what has traded of an order for 20."""
    one = order(quantity=Decimal(20))
    for event in news:
        changed = lifecycle.apply(one, event)
        assert changed is not None
        one = changed
    return traded(one)


@pytest.mark.parametrize(
    ("claimed", "size"),
    [
        pytest.param((), 4, id="nothing is said after it"),
        pytest.param((10,), 4, id="the figure still has what was taken back"),
        pytest.param((4,), 4, id="the figure is without it"),
        pytest.param((16,), 10, id="the figure still has it, and 6 more have traded"),
        # Of a figure that is without it, and of 6 more, the same is said as of the second case:
        # exits for 10 might open the other side, so the executions are waited for.
        pytest.param((4, 10), 4, id="the figure is without it, and 6 more have traded"),
    ],
)
def test_what_was_taken_back_never_sizes_an_exit(claimed: tuple[int, ...], size: int) -> None:
    said = [working(ID, figure) for figure in claimed]
    assert after(*BUSTED, *said) == size
    assert after(*BUSTED, *said, SIX) == 10  # whatever is meant: executions decide


def test_until_executions_come_the_brokers_word_stands() -> None:
    assert after(working(ID, 7)) == 7
    assert after(working(ID, 7), filled(TEN)) == 10


def test_what_a_correction_gives_back_counts_again() -> None:
    again, part = fill(10, revision=3), fill(7, revision=3)
    assert after(*BUSTED, filled(again, replaces=FOUR), working(ID, 16)) == 16
    assert after(*BUSTED, filled(part, replaces=FOUR), working(ID, 10)) == 7
