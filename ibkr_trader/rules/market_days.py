"""Which bars are of one day of their market: what begins anew each day asks here.

A bar carries a moment in UTC, and neither its market's zone nor its hours. Two things tell
where a day begins:

1. `opens`, the moments at which the market's days open, when they are known (`openings`
   makes them of what the broker says). They decide for a day after each of them.
2. Else a gap: ten hours or more from one bar's start to the next. Regular hours of exchanges
   span less than nine hours, and their nights last more than fourteen, so neither a break at
   noon nor a share that trades twice a day begins a day; and a bar of a whole day always does.
   The day then begins with that bar, which may be later than the opening was.

Nobody can tell whether the first bar of all is its day's first, unless it starts with the
opening: the day is *unknown* until the next begins, and what depends on its beginning is so
too. The same if a day lasts for 24 hours: futures and currencies pause for less than ten
hours, so their days can be told by `opens` only.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.bar_sizes import TRADING_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import Session

NIGHT = timedelta(hours=10)
_DAY = timedelta(days=1)


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the bars that an indicator will be given.

    Attributes:
        size: How long each lasts; None if nobody says: then an opening range is known one bar
            later than it could be.
        opens: When the market's days open, as far as it is known; see the module.
    """

    size: timedelta | None = None
    opens: tuple[datetime, ...] = ()

    def two_days(self, least: int) -> int:
        """Return how many bars two days have, to see one of them begin; `least` if unknown."""
        if self.size is None:
            return least
        return max(least, 2 * -(-TRADING_DAY // self.size))


class MarketDay(msgspec.Struct, frozen=True):
    """The day of the last bar.

    Attributes:
        opens: See the module.
        began: When it began; None if its beginning was not seen.
        is_new: Whether the last bar is the first of it.
        last: When the last bar started.
    """

    opens: tuple[datetime, ...] = ()
    began: datetime | None = None
    is_new: bool = False
    last: datetime | None = None

    def after(self, at: datetime) -> MarketDay:
        """Return the day of a bar that starts at `at`."""
        last = self.last
        opening = max((one for one in self.opens if one <= at), default=None)
        if opening is not None and at - opening < _DAY:
            is_new = at == opening if last is None else last < opening
            began = opening if is_new else self.began
        else:
            is_new = last is not None and at - last >= NIGHT
            began = at if is_new else self.began
        if began is not None and at - began >= _DAY:
            began = None
        return MarketDay(self.opens, began, is_new, at)


def openings(sessions: Iterable[Session], zone: tzinfo) -> tuple[datetime, ...]:
    """Return when each day opens, by the broker's sessions; a break at noon opens none.

    A day is that of its closes in the exchange's zone, as `core/trading_day.py` has it.
    """
    first: dict[object, datetime] = {}
    for one in sessions:
        day = one.closes.astimezone(zone).date()
        first[day] = min(first.get(day, one.opens), one.opens)
    return tuple(sorted(first.values()))
