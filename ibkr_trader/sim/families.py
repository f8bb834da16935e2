"""What a bracket's exits may do while its entry fills: pure arithmetic on quantities.

The exits of one parent (its children on the other side) are an implicit OCA group: what one
of them trades, the others lose. So their fills never add up to more than the entry's.
"""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from ibkr_trader.sim.orders import SimOrder, SimStatus

ZERO = Decimal(0)


class BracketMode(StrEnum):
    """What a bracket's exits do while the entry is partly filled (IBKR does not document it)."""

    FULL_SIZE = "children_on_partial_full_size"
    RESIZED = "children_on_partial_resized"
    HELD = "children_held_until_parent_complete"


class Plan(NamedTuple):
    """How a child should stand; `quantity` None cancels it."""

    quantity: Decimal | None
    is_held: bool


CANCEL = Plan(None, is_held=False)


def is_exit(parent: SimOrder, child: SimOrder) -> bool:
    """Say whether a child ends what its parent opens."""
    is_same = child.terms.con_id == parent.terms.con_id
    return is_same and child.side is not parent.side


def plan(mode: BracketMode, parent: SimOrder, child: SimOrder, *, others: Decimal) -> Plan:
    """Return how an open child should stand, given its parent's and siblings' fills.

    Args:
        mode: What a partly filled parent lets its exits do.
        parent: As it now stands; it may be closed.
        child: As it now stands.
        others: What the child's fellow exits have traded.
    """
    if not is_exit(parent, child):
        return _follower(parent, child)
    wanted = child.terms.quantity
    room = min(wanted, parent.quantity - others)  # once the parent is complete
    match _active(mode, parent):
        case None:
            return Plan(room, is_held=True)
        case covered:
            active = min(wanted, covered - others)
    if active > child.filled:
        return Plan(active, is_held=False)
    is_over = parent.status.is_closed or room <= child.filled
    return CANCEL if is_over else Plan(room, is_held=True)


def _active(mode: BracketMode, parent: SimOrder) -> Decimal | None:
    """The part of the parent that exits may act for now; None if they must wait."""
    if parent.status is SimStatus.FILLED:
        return parent.quantity
    if parent.status.is_closed:
        if mode is BracketMode.HELD:
            return ZERO
        is_full = mode is BracketMode.FULL_SIZE and parent.filled
        return parent.quantity if is_full else parent.filled
    if mode is BracketMode.HELD or not parent.filled:
        return None
    return parent.quantity if mode is BracketMode.FULL_SIZE else parent.filled


def _follower(parent: SimOrder, child: SimOrder) -> Plan:
    if parent.status is SimStatus.FILLED:
        return Plan(child.terms.quantity, is_held=False)
    return CANCEL if parent.status.is_closed else Plan(child.terms.quantity, is_held=True)
