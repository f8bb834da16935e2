"""Which groups are wrong about what they hold, because the broker has restated it.

A group adds up its own executions. Where a position changes and none of them says so (a split, or
a trade nobody told), it neither knows what it holds nor what that is worth: it places and enlarges
nothing any more, an entry that would add to it is taken back, and it ends with its orders where
nothing is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.portfolio.caring import additions, is_about, is_past, is_taken_over
from ibkr_trader.portfolio.ledger_fold import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ibkr_trader.core.events import DriftEvent
    from ibkr_trader.core.models import Contract, GroupId
    from ibkr_trader.portfolio.state import PortfolioState

ORIGIN = "restated"  # who asks for what is taken back


class RestatedGroups:
    """Remembers them for as long as the process lives; history tells the next one."""

    def __init__(self, portfolio: Callable[[], PortfolioState]) -> None:
        self._portfolio = portfolio
        self._ids: set[GroupId] = set()

    def __contains__(self, group_id: GroupId) -> bool:
        return group_id in self._ids

    def note(self, event: DriftEvent, begun: Iterable[GroupId]) -> None:
        """Take note of a restated position; what comes later than `begun` begins with the truth."""
        state = self._portfolio()
        self._ids.update(one for one in begun if is_about(state, one, event.subject))

    def recall(self, ids: Iterable[GroupId]) -> None:
        """Take over what a checkpoint knows."""
        self._ids.update(ids)

    def among(self, groups: Iterable[GroupId]) -> tuple[GroupId, ...]:
        """Return which of `groups` they are, in that order."""
        if not self._ids:  # as always, and it is asked at every review
            return ()
        return tuple(group_id for group_id in groups if group_id in self._ids)

    def untended(self, groups: Iterable[GroupId]) -> tuple[GroupId, ...]:
        """Return those of `groups` whose position nobody has taken over as it is now."""
        state = self._portfolio()
        return tuple(one for one in self.among(groups) if not is_taken_over(state, one))

    def is_wrong(self, group_id: GroupId, contract: Contract) -> bool:
        """Whether a group must not add to `contract`: what is held there may be something else."""
        return group_id in self._ids or subject_of(contract) in self._portfolio().drift

    def is_past(self, group_id: GroupId) -> bool:
        """Whether nothing is left of one of them."""
        return group_id in self._ids and is_past(self._portfolio(), group_id)

    def to_take_back(self, group_id: GroupId) -> tuple[CancelOrder, ...]:
        """Return what takes back the entries that would add to one of them, without an exit."""
        if group_id not in self._ids:
            return ()
        entries = additions(self._portfolio(), group_id)
        return tuple(CancelOrder(order_id=one.order_id, origin=ORIGIN) for one in entries)
