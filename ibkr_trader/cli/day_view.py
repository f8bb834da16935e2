"""The day's result in words: in all, what it consists of, and how much of its limit is lost."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money, percent
from ibkr_trader.execution.valuing import value

if TYPE_CHECKING:
    from ibkr_trader.execution.desk import Desk

_SECONDS = 2.0  # for the prices of what is held


async def price_held(desk: Desk) -> None:
    """Have prices of everything that the day's result depends on, if they can be had soon."""
    with suppress(BrokerUnavailable):  # then the rows say what is unknown
        await value(desk.trader, desk.trader.outlook.unvalued, timeout=_SECONDS)


def day_rows(desk: Desk) -> list[tuple[str, str]]:
    """Return the day's result as rows of a table."""
    pnl, limit = desk.trader.outlook.pnl, desk.trader.outlook.limits.max_daily_loss
    parts = [
        f"realised {money(pnl.realized, signed=True)}",
        f"open {money(pnl.unrealized, signed=True)}",
        f"commission {money(pnl.commission)}",
    ]
    if pnl.estimated:
        parts[-1] += f" (of which {money(pnl.estimated)} estimated)"
    total = "unknown" if pnl.net is None else money(pnl.net, signed=True)
    rows = [("day", f"{total}: {', '.join(parts)}")]
    rows += [("day", note) for note in pnl.notes]
    if pnl.net is not None:
        lost = max(ZERO, -pnl.net)
        share = percent(lost / limit, digits=0)
        rows.append(("day's loss", f"{money(lost)} of {money(limit)}, {share}"))
    return rows


def day_document(desk: Desk) -> dict[str, Any]:
    """Return the day's result as a document; `net` is null while some part is unknown."""
    pnl, limit = desk.trader.outlook.pnl, desk.trader.outlook.limits.max_daily_loss
    return {
        "since": pnl.since,
        "net": pnl.net,
        "realized": pnl.realized,
        "unrealized": pnl.unrealized,
        "commission": pnl.commission,
        "estimated_commission": pnl.estimated,
        "max_daily_loss": limit,
        "symbols": pnl.symbols(),
        "notes": list(pnl.notes),
    }
