"""Which commands of groups are left out for now, because messages are scarce.

The rule is in `risk/traffic.py`; here it gets the day's count, the stop that works, and the
steps of its contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.models import ZERO
from ibkr_trader.orders.managed_trails import banded, least_step
from ibkr_trader.risk.traffic import yields

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.outlook import Outlook


def is_spared(command: Command, outlook: Outlook) -> bool:
    """Whether `command` is not worth a message on a day with so many of them."""
    if not isinstance(command, ModifyOrder) or not command.is_cosmetic:
        return False
    traffic, order = outlook.book.traffic_today, outlook.portfolio.order(command.order_id)
    if traffic is None or order is None:
        return False
    details = outlook.details(order.spec.contract.con_id)
    stands = order.spec.stop_price
    step = least_step(stands or ZERO, banded(details.bands if details is not None else ()))
    return yields(command, traffic, now=stands, step=step)
