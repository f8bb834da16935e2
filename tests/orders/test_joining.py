"""An order that joins others is linked to them by the broker, and to nothing else."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.joining import JoinRequest
from tests.orders.samples import AAPL, ACCOUNT, GROUP

STOP = OrderRequest(
    symbol="AAPL",
    side=Side.SELL,
    quantity=Decimal(10),
    order_type=OrderType.STOP,
    stop_price=Decimal(145),
)
JOIN = JoinRequest(order=STOP, role=OrderRole.STOP, oca_group="1258", oca_type=OcaType.REDUCE)


def test_it_carries_the_group_that_it_joins() -> None:
    JOIN.validate()
    assert JOIN.symbol == "AAPL"
    group = JOIN.group(Setting(group_id=GROUP, contract=AAPL, account=ACCOUNT))
    (spec,) = group.open().orders
    assert (spec.order_id, spec.role, spec.oca_group, spec.oca_type) == (
        "memo-1-stop", OrderRole.STOP, "1258", OcaType.REDUCE,
    )  # fmt: skip
    assert group.open().kind == "single"


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="no group to join"):
        msgspec.structs.replace(JOIN, oca_group="").validate()
    bare = msgspec.structs.replace(STOP, stop_price=None)
    with pytest.raises(ValueError, match="stop"):
        msgspec.structs.replace(JOIN, order=bare).validate()
