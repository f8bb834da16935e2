"""The day's messages for each order that trades: what IBKR calls the order-efficiency ratio.

What counts is said by `portfolio/message_count.py`. While messages are few the ratio means
nothing: IBKR says that it is "not aimed at the client who submits 200 orders". From there on,
what is only cosmetic yields first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.portfolio.message_count import after, current

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command

__all__ = ["FEW", "Traffic", "after", "current", "ratio", "yields"]

FEW = 200  # messages a day, below which nothing is denied and nothing yields
COARSE = Decimal(12)  # from this ratio on a cosmetic change needs a larger step
NONE = Decimal(18)  # and from this one on there is none
STEPS = 5  # ordinary steps that a cosmetic change then needs
_TENTH = Decimal("0.1")


def ratio(traffic: Traffic) -> Decimal:
    """Return messages for each order that traded, rounded down to the tenth."""
    return traffic.ratio // _TENTH * _TENTH


def yields(command: Command, traffic: Traffic, *, now: Decimal | None, step: Decimal) -> bool:
    """Whether `command` is left out for now, because messages are scarce.

    Only what is cosmetic ever is: a cancel, a size, a person's change never yields. `now` is
    the stop price that works, `step` how far such a price moves at least on an ordinary day.
    """
    if not isinstance(command, ModifyOrder) or not command.is_cosmetic or traffic.messages < FEW:
        return False
    if traffic.ratio < COARSE:
        return False
    wanted = command.stop_price
    if traffic.ratio >= NONE or now is None or wanted is None:
        return True
    return abs(wanted - now) < step * STEPS
