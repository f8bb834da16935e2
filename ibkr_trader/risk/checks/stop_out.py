"""After a stop was hit, its symbol rests: for a while, and after several for the day.

Which stops count is said by `portfolio/stop_outs.py`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.portfolio.stop_outs import stopped_out
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def stop_outs(con_id: int, view: RiskView) -> list[datetime]:
    """Return when stops of a contract were hit at a loss today, oldest first."""
    book = view.portfolio.books.get(con_id)
    if book is None or not book.fills:
        return []
    begins = day_start(view.now, view.zone)
    return sorted(stopped_out(view.portfolio, book, since=begins).values())


def _gauge(view: RiskView) -> Iterator[Gauge]:
    most, pause = view.limits.max_stop_outs, view.limits.stop_out_cooldown
    found = {con_id: hits for con_id in view.portfolio.books if (hits := stop_outs(con_id, view))}
    for con_id, hits in found.items():
        name = label(view.portfolio.books[con_id].position.contract)
        ends = hits[-1] + pause
        note = f"rests until {_clock(ends, view)}" if ends > view.now else ""
        if len(hits) >= most:
            note = "rests until tomorrow"
        yield Gauge(
            check="stop_out",
            subject=name,
            limit=Decimal(most),
            used=Decimal(len(hits)),
            note=note,
        )
    if not found:
        yield Gauge(check="stop_out", limit=Decimal(most), used=ZERO, note="a symbol and day")


@check("stop_out", gauge=_gauge)
def stop_out(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in a symbol whose stop was hit just now, or too often today."""
    most, pause = view.limits.max_stop_outs, view.limits.stop_out_cooldown
    for contract in proposal.opened:
        hits = stop_outs(contract.con_id, view)
        if not hits:
            continue
        name, ends = label(contract), hits[-1] + pause
        if len(hits) >= most:
            yield Breach(
                check="stop_out",
                message=f"{len(hits)} stops were hit in {name} today; after {most} it rests.",
                limit=str(most),
                actual=str(len(hits)),
                headroom="0",
                hint="leave it alone until tomorrow",
            )
        elif ends > view.now:
            yield Breach(
                check="stop_out",
                message=(
                    f"A stop was hit in {name} at {_clock(hits[-1], view)}: "
                    f"nothing is opened in it until {_clock(ends, view)}."
                ),
                limit=seconds(pause),
                actual=seconds(view.now - hits[-1]),
                hint=f"wait {seconds(ends - view.now)}, and look at it anew",
            )


def _clock(moment: datetime, view: RiskView) -> str:
    return f"{moment.astimezone(view.zone):%H:%M:%S %Z}"
