from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.models import OrderId
from ibkr_trader.risk.traffic import FEW, Traffic, ratio, yields
from tests.orders.samples import (
    AT,
    GROUP,
)

MIDNIGHT = AT - timedelta(hours=10)
ORDER = OrderId("memo-1-single")
NONE = Traffic(since=MIDNIGHT)


def test_the_ratio_is_ibkrs() -> None:
    assert ratio(NONE) == 0
    told = Traffic(since=MIDNIGHT, orders=10, changes=9, cancels=1, executions=2)
    assert (told.messages, ratio(told)) == (20, Decimal("6.6"))


# -- what yields -------------------------------------------------------------------------------


def busy(traffic_ratio: str, messages: int = 2 * FEW) -> Traffic:
    """So many messages, and about as many trades as the ratio says."""
    executions = int(messages / Decimal(traffic_ratio)) - 1
    return Traffic(since=MIDNIGHT, changes=messages, executions=executions)


def moves(to: str, *, is_cosmetic: bool = True) -> ModifyOrder:
    return ModifyOrder(order_id=ORDER, stop_price=Decimal(to), is_cosmetic=is_cosmetic)


@pytest.mark.parametrize(
    ("traffic", "to", "is_left_out"),
    [
        (busy("11"), "150.01", False),
        (busy("12"), "150.74", True),
        (busy("12"), "149.26", True),
        (busy("12"), "150.75", False),
        (busy("12"), "149.25", False),
        (busy("17"), "150.75", False),
        (busy("18"), "150.75", True),
        (busy("18"), "190", True),
        (busy("18", FEW - 1), "150.01", False),
        (busy("18", FEW), "150.01", True),
    ],
)
def test_a_cosmetic_move_needs_a_larger_step_and_then_a_better_day(
    traffic: Traffic, to: str, *, is_left_out: bool
) -> None:
    found = yields(moves(to), traffic, now=Decimal(150), step=Decimal("0.15"))
    assert found is is_left_out


@pytest.mark.parametrize(
    "command",
    [
        moves("150.01", is_cosmetic=False),
        ModifyOrder(order_id=ORDER, quantity=Decimal(5)),
        CancelOrder(order_id=ORDER),
        SubmitOrders(group_id=GROUP, orders=()),
    ],
)
def test_nothing_else_ever_yields(command: Command) -> None:
    assert not yields(command, busy("100"), now=Decimal(150), step=Decimal("0.15"))


def test_what_cannot_be_measured_waits_for_a_better_day() -> None:
    silent = ModifyOrder(order_id=ORDER, is_cosmetic=True)
    assert yields(silent, busy("12"), now=Decimal(150), step=Decimal("0.15"))
    assert yields(moves("160"), busy("12"), now=None, step=Decimal("0.15"))
