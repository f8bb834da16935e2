"""Which commands place or enlarge something, and which have nothing to do any more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.models import Contract, OrderId
from ibkr_trader.portfolio.enlarging import enlarged, is_needless
from tests.orders.samples import AAPL, later, spec
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


def test_what_has_ended_needs_no_cancel_and_no_change() -> None:
    cancel = CancelOrder(order_id=STOP.order_id)
    change = ModifyOrder(order_id=STOP.order_id, stop_price=Decimal(146))
    new = SubmitOrders(group_id=STOP.group_id, orders=(spec(),))
    ended = bracket(ev.CancelEvent(at=later(5), order_id=STOP.order_id))
    assert [is_needless(ended, command) for command in (cancel, change, new)] == [True, True, False]
    assert not is_needless(bracket(), cancel)
    assert not is_needless(ended, CancelOrder(order_id=OrderId("memo-9-stop")))
