"""Which commands place or enlarge something."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.models import Contract, OrderId
from ibkr_trader.portfolio.enlarging import enlarged
from tests.orders.samples import AAPL, spec
from tests.portfolio.plan_stage import STOP, bracket


@pytest.mark.parametrize(
    ("command", "contract"),
    [
        (SubmitOrders(group_id=STOP.group_id, orders=(spec(),)), AAPL),
        (ModifyOrder(order_id=STOP.order_id, quantity=Decimal(11)), AAPL),
        (ModifyOrder(order_id=STOP.order_id, quantity=Decimal(10)), None),
        (ModifyOrder(order_id=STOP.order_id, stop_price=Decimal(146)), None),
        (ModifyOrder(order_id=OrderId("memo-9-stop"), quantity=Decimal(11)), None),
        (CancelOrder(order_id=STOP.order_id), None),
    ],
)
def test_what_is_placed_or_enlarged(command: Command, contract: Contract | None) -> None:
    assert enlarged(bracket(), command) == contract
