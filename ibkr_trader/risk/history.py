"""What was sent lately: enough to notice a repeat, and a machine gone wild.

A fold over `NewOrderEvent`s, so a new process knows the last day from the journal. Old
news falls off by itself: the cost of a review does not grow with the day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import GroupId, OrderSpec

if TYPE_CHECKING:
    from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent

REMEMBERED_OPENINGS = timedelta(days=1)
REMEMBERED_ORDERS = timedelta(minutes=10)
# The gateway states whole seconds, so two processes may differ by this much over its time.
_SKEW = timedelta(seconds=2)


class Submission(msgspec.Struct, frozen=True):
    """One order that went out at `at`."""

    at: datetime
    spec: OrderSpec


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The submissions of late, oldest first.

    Attributes:
        openings: When each opening command of the last 24 hours went out.
        submissions: The opening orders of the last ten minutes at least.
        last_group: The group that went out last: its other orders are the same command.
    """

    openings: tuple[datetime, ...] = ()
    submissions: tuple[Submission, ...] = ()
    last_group: GroupId | None = None

    @classmethod
    def restored(cls, event: CheckpointEvent) -> History:
        """Return the history as a checkpoint of the journal has it."""
        recent = tuple(Submission(news.at, news.spec) for news in event.recent)
        last = recent[-1].spec.group_id if recent else None
        return cls(openings=event.openings, submissions=recent, last_group=last)

    def after(self, event: NewOrderEvent) -> History:
        """Return the history with one more order; exits are not counted.

        Whether an order opens is told by its role, and by what the guard found when it went
        out: what could only reduce the position then is no opening.
        """
        spec, at = event.spec, event.at
        if spec.role.is_protective:
            return self
        openings = self.openings
        if spec.group_id != self.last_group and not event.reduces:
            kept = self.openings_within(REMEMBERED_OPENINGS, at)
            openings = tuple(sorted((*openings[kept.start : kept.stop], at)))
        first = bisect_left(self.submissions, at - REMEMBERED_ORDERS, key=_time)
        return History(
            openings=openings,
            submissions=tuple(
                sorted((*self.submissions_until(at)[first:], Submission(at, spec)), key=_time)
            ),
            last_group=self.last_group if event.reduces else spec.group_id,
        )

    def openings_within(self, window: timedelta, now: datetime) -> range:
        """Return the indices of the openings of the last `window`, none from well after `now`."""
        first = bisect_right(self.openings, now - window)
        return range(first, max(first, bisect_right(self.openings, now + _SKEW)))

    def submissions_until(self, now: datetime) -> tuple[Submission, ...]:
        """Return the opening orders remembered, without those from well after `now`.

        The simulator's clock may be set back; what it has yet to reach did not happen.
        """
        return self.submissions[: bisect_right(self.submissions, now + _SKEW, key=_time)]


def _time(sent: Submission) -> datetime:
    return sent.at
