"""How the gateway words an order that has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.gateway.order_views import completed_order
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.orders import OrderTerms, SimOrder, SimStatus


@pytest.mark.parametrize(("filled", "stated"), [(10, 0), (4, 10), (0, 10)])
def test_only_a_complete_fill_states_no_quantity(filled: int, stated: int) -> None:
    order = SimOrder(
        client_id=1,
        order_id=7,
        terms=OrderTerms(
            con_id=265598,
            action="BUY",
            quantity=Decimal(10),
            order_type="MKT",
            wire=WireOrder(action="BUY", quantity=Decimal(10), order_type="MKT"),
        ),
        side=Side.BUY,
        quantity=Decimal(10),
        filled=Decimal(filled),
        status=SimStatus.FILLED if filled == 10 else SimStatus.CANCELLED,
        completed_at=datetime(2026, 11, 20, 15, tzinfo=UTC),
    )
    told = completed_order(order)
    assert (int(told.order.quantity), int(told.filled)) == (stated, filled)
