"""What a report tells: found once, and shown as lines, as a document, and as a page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import msgspec

from ibkr_trader.core.contracts import label
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.portfolio.forensic_summary import By, Summary, summary
from ibkr_trader.portfolio.forensics import Execution, Trip
from ibkr_trader.portfolio.performance import Performance, performance

if TYPE_CHECKING:
    from ibkr_trader.portfolio.forensic_fold import Forensics


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell.

    Attributes:
        groups: By what was asked for; `rules` by whose orders they are.
        left_out: Symbols of which no round trips are told.
    """

    profile: str
    since: datetime | None
    until: datetime
    by: By
    orders: tuple[Execution, ...]
    trips: tuple[Trip, ...]
    performance: tuple[Performance, ...]
    groups: tuple[Summary, ...]
    rules: tuple[Summary, ...]
    left_out: tuple[str, ...]

    @classmethod
    def of(
        cls, known: Forensics, *, by: By, since: datetime | None, until: datetime, profile: str
    ) -> Self:
        """Return the report of what is known."""
        orders, trips, zone = known.executions, known.trips, ZoneInfo(NEW_YORK)
        return cls(
            profile=str(profile),
            since=since,
            until=until,
            by=by,
            orders=orders,
            trips=trips,
            performance=performance(trips),
            groups=summary(orders, trips, by=by, zone=zone),
            rules=summary(orders, trips, by=By.RULE, zone=zone),
            left_out=tuple(sorted(label(one) for one in known.strays)),
        )
