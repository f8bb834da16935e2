"""What a bracket's exits may do while its entry fills: pure arithmetic on quantities.

The exits of one parent (its children on the other side) are OCA groups: what one of them
trades, the others of its group lose. Those that name no group are one group together. So the
fills of a group never add up to more than its part of the entry.
"""

from collections.abc import Iterable
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


class Share(NamedTuple):
    """Which part of its entry a group of exits ends: so many come before it, it has so many."""

    ahead: Decimal = ZERO
    size: Decimal | None = None  # None takes all that is left

    def of(self, covered: Decimal) -> Decimal:
        """Return the group's part of what is covered: the first groups are served first."""
        left = max(ZERO, covered - self.ahead)
        return left if self.size is None else min(left, self.size)


CANCEL = Plan(None, is_held=False)
ALL = Share()


def is_exit(parent: SimOrder, child: SimOrder) -> bool:
    """Say whether a child ends what its parent opens."""
    is_same = child.terms.con_id == parent.terms.con_id
    return is_same and child.side is not parent.side


def share_of(child: SimOrder, exits: Iterable[SimOrder]) -> Share:
    """Return the part of the entry that a child's group ends.

    Args:
        child: One of the exits.
        exits: All exits of the parent, closed ones too, the oldest first. Those that named
            their groups come before those that named none.
    """
    sizes: dict[str, Decimal] = {}
    for order in exits:
        group = order.terms.oca_group
        if group:
            sizes[group] = max(sizes.get(group, ZERO), order.terms.quantity)
    mine = child.terms.oca_group
    ahead = ZERO
    for group, size in sizes.items():
        if group == mine:
            return Share(ahead, size)
        ahead += size
    return Share(ahead)


def plan(
    mode: BracketMode, parent: SimOrder, child: SimOrder, *, others: Decimal, share: Share = ALL
) -> Plan:
    """Return how an open child should stand, given its parent's and siblings' fills.

    Args:
        mode: What a partly filled parent lets its exits do.
        parent: As it now stands; it may be closed.
        child: As it now stands.
        others: What the child's fellows in its group have traded.
        share: The part of the entry that the child's group ends.
    """
    if not is_exit(parent, child):
        return _follower(parent, child)
    wanted = child.whole
    if wanted <= child.filled:
        return CANCEL
    if parent.status.is_closed and not child.is_held and child.sized_at is not None:
        return _sized(child, wanted, others)
    if parent.status is SimStatus.FILLED and not child.is_held and child.terms.oca_group:
        return Plan(wanted, is_held=False)  # it waits for nothing more: its own group cuts it
    room = min(wanted, share.of(parent.quantity) - others)  # once the parent is complete
    match _active(mode, parent):
        case None:
            return Plan(room if room > child.filled else wanted, is_held=True)
        case covered:
            active = min(wanted, share.of(covered) - others)
    if active > child.filled:
        return Plan(active, is_held=False)
    is_over = parent.status.is_closed or room <= child.filled
    return CANCEL if is_over else Plan(room, is_held=True)


def _sized(child: SimOrder, wanted: Decimal, others: Decimal) -> Plan:
    """An exit to which its client gave a size once its entry was done: only its group cuts it."""
    taken = ZERO if child.terms.oca_group else others - (child.sized_at or ZERO)
    left = wanted - taken  # of a group that was named, the cuts are in what is wanted
    return Plan(left, is_held=False) if left > child.filled else CANCEL


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
        return Plan(child.whole, is_held=False)
    return CANCEL if parent.status.is_closed else Plan(child.whole, is_held=True)
