"""Markets that run, and where the stop that follows them works."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.bad_days.stage import AAPL

if TYPE_CHECKING:
    from tests.bad_days.stage import Day


def stop(day: Day, *, alone: bool = False) -> Decimal:
    """Where the one stop works at the exchange; `alone` says that nothing else works there."""
    live = day.ledger.live(AAPL)
    (price,) = [one.stop_price for one in live if one.stop_price is not None]
    assert len(live) == 1 or not alone
    return price


async def move(day: Day, *bids: str, alone: bool = False) -> list[Decimal]:
    """Let the market be at each bid for two seconds; return where the stop was at the end."""
    seen = []
    for bid in bids:
        ask = str(Decimal(bid) + Decimal("0.02"))
        await day.quote(bid, ask)
        await day.wait(1)
        await day.quote(bid, ask, size=900)
        await day.wait(1)
        seen.append(stop(day, alone=alone))
    return seen
