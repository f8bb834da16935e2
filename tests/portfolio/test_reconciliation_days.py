"""What is gone with its day was to be gone; what should have outlived it is drift."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.core.enums import TimeInForce
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import AT, accepted, spec
from tests.portfolio.stage import S, drift, sent, settle, snapshot, status


@pytest.mark.parametrize(
    ("lives", "end", "told"),
    [(TimeInForce.DAY, S.EXPIRED, 0), (TimeInForce.GTC, S.CANCELLED, 1)],
)
def test_a_days_order_that_is_gone_with_its_day_was_to_be(
    lives: TimeInForce, end: S, told: int
) -> None:
    order = spec(time_in_force=lives)
    after, outcome = settle(
        fold([accepted(order)], sent(order)), snapshot(at=AT + timedelta(days=1))
    )
    assert status(after) is end
    assert len(drift(outcome)) == told
