"""How far back an execution is news: what is older is in what was held when all was known.

IB Gateway tells the executions since midnight, TWS those of a week if its trade log shows them. To
remember the names of a week's executions would be to carry them through every checkpoint. Nor is
that needed: whenever everything was told, what is held was told with it, and what executed long
before is in there, whether we have heard of it or not.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Fill
    from ibkr_trader.portfolio.snapshot import BrokerSnapshot
    from ibkr_trader.portfolio.state import PortfolioState

# So long after it was made an execution may be told, and positions may lack it meanwhile; and two
# clocks may differ. Minutes would do.
LATE = timedelta(days=1)


def reach(synced_at: datetime | None, moment: datetime) -> datetime:
    """Return from when on executions have to be remembered by name.

    Args:
        synced_at: When everything was told last; None if nobody knows.
        moment: From when on they are of use to anybody else, by the broker's clock: by one that
            runs ahead, what the broker still tells would be forgotten.
    """
    return moment if synced_at is None else min(moment, synced_at - LATE)


def is_past(fill: Fill, portfolio: PortfolioState, *, now: datetime) -> bool:
    """Whether an execution is in what was held when all was told last.

    One whose name we remember is not: it may be told in a later revision. Nor is one of today by
    the broker's clock (`now`), where all was told by one of ours that ran ahead.
    """
    if portfolio.synced_at is None or fill.fill_id in portfolio.fills:
        return False
    return fill.at < min(portfolio.synced_at, now) - LATE


def with_news_only(
    snapshot: BrokerSnapshot, portfolio: PortfolioState, *, now: datetime
) -> BrokerSnapshot:
    """Return `snapshot` without the executions that are in what was held when all was told."""
    fills = tuple(fill for fill in snapshot.fills if not is_past(fill, portfolio, now=now))
    return msgspec.structs.replace(snapshot, fills=fills)
