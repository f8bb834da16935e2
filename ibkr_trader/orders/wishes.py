"""Whose wish a cancel was: one answer for groups, coverage and undo.

A cancel is asked for by people, by the parts of this desk, and by the broker; its `origin`
says by whom. What nobody wanted gone is put back, and what a person took away is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import CancelRequestEvent

if TYPE_CHECKING:
    from ibkr_trader.core.events import BaseEvent

BROKER = "broker"
RECOVERY = "recovery"
UNDO = "undo"  # it takes away only what it then puts back linked to the rest
HALT = "halt"  # a halt takes back what could open; its cancels leave before everything else
# Whose cancel is a wish that a position be left without its stop.
PERSONS = frozenset({"cli", "library"})


def is_taken_back(event: BaseEvent, *, own: str = "") -> bool:
    """Whether somebody has taken an order back, so that its group is not to put it there again.

    Closings and the guardian count as somebody: what the order protected is gone, or going.

    Args:
        event: Any event.
        own: The origin of the group's own commands, which are no wishes.
    """
    return isinstance(event, CancelRequestEvent) and event.origin not in {BROKER, RECOVERY, own}
