"""Executions after which a person has to look before anything more is opened.

The books have them as any other; what they say is that something is not as it was thought to be:
a trade that never was, more than was asked for, a position that the broker has closed by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import price, quantity

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.events import FillEvent
    from ibkr_trader.core.models import Fill, Order


def oddity(event: FillEvent, order: Order | None) -> str:
    """Return why a person has to look; empty if the execution is as executions are.

    Args:
        event: The execution, and the revision that it takes the place of.
        order: Its order as it stands after it; None if nobody knows it.
    """
    fill = event.fill
    if is_bust(event):
        return f"{label(fill.contract)}: {bust_words(event)}"
    is_new = event.replaces is None
    if fill.is_liquidation and is_new and fill.quantity:
        return (
            f"{label(fill.contract)}: liquidated by the broker, {in_words(fill)} "
            f"(execution {fill.fill_id}): look at the margin"
        )
    if order is not None and event.quantity_delta > 0 and (surplus := overfilled(order)):
        return (
            f"{label(fill.contract)}: {short_id(order.order_id)} has traded "
            f"{quantity(order.filled)}, {quantity(surplus)} more than was asked for "
            f"(execution {fill.fill_id})"
        )
    return ""


def is_bust(event: FillEvent) -> bool:
    """Whether an execution that was counted is taken back whole."""
    before = event.replaces
    return before is not None and before.quantity > 0 and not event.fill.quantity


def bust_words(event: FillEvent) -> str:
    """Return what was taken back, as a clause without its symbol."""
    was = event.replaces or event.fill
    return f"execution {was.fill_id} of {in_words(was)} was taken back (bust)"


def in_words(fill: Fill) -> str:
    """Return side, size and price of an execution."""
    return f"{fill.side} {quantity(fill.quantity)} @ {price(fill.price)}"


def overfilled(order: Order) -> Decimal:
    """Return by how much an order of ours has traded more than it was for.

    What fills of others size at the broker, exits and alternatives, is for its group to judge:
    there the size is often stated anew before an execution that is on its way.
    """
    if order.is_foreign or order.spec.is_sized_by_others:
        return ZERO
    asked = order.desired.quantity if order.desired is not None else ZERO
    return max(ZERO, order.filled - max(order.spec.quantity, asked))
