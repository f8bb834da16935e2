"""How much may depend on one sector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import money, percent
from ibkr_trader.portfolio.value_span import NOTHING
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.concentration import foreign_words, in_one_money, rise_at_most, shifts
from ibkr_trader.risk.correlated import index_of
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "sector_exposure"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Yield what each sector with exposure may come to."""
    if view.sectors_fault:
        yield Gauge(check=_NAME, note=f"nothing is opened: {view.sectors_fault}")
        return
    index, limit = index_of(view), _limit(view)
    if index.foreign:
        yield Gauge(check=_NAME, note=f"not in it: {foreign_words(index.foreign)}")
    for sector, span in sorted(index.by_sector.items()):
        yield Gauge(check=_NAME, subject=sector, limit=limit, used=span.reach, unit=Unit.MONEY)
    if not index.by_sector:
        yield Gauge(
            check=_NAME,
            limit=limit,
            unit=Unit.MONEY,
            note="no sector of what is held or works is known",
        )


@check(_NAME, gauge=gauge)
def sector_exposure(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings by which a sector, longs less shorts, could pass its limit.

    A symbol whose sector nobody knows is in none.

    Raises:
        FactMissing: If something has no price, or is in other money than the account.
    """
    if not proposal.openings:
        return
    if view.sectors_fault:
        yield Breach(
            check=_NAME,
            message=f"Nothing is opened: the sectors cannot be relied on.\n{view.sectors_fault}",
            hint="mend the file; {} in it says that no sectors are meant",
        )
        return
    opened = {view.sectors.get(contract.symbol, "") for contract in proposal.opened} - {""}
    if not opened:
        return
    index, limit = index_of(view), _limit(view)
    in_one_money(proposal, index, about=_NAME)
    rise = rise_at_most(proposal, view, index)
    most = max(index.by_sector.get(sector, NOTHING).reach for sector in opened)
    if rise is not None and most + rise <= limit:
        return
    sums = {sector: (index.by_sector.get(sector, NOTHING),) * 2 for sector in opened}
    for symbol, one in shifts(proposal, view, index).items():
        if (sector := view.sectors.get(symbol, "")) in sums:
            before, after = sums[sector]
            sums[sector] = (
                before.minus(one.indexed).plus(one.before),
                after.minus(one.indexed).plus(one.after),
            )
    for sector, (before, after) in sorted(sums.items()):
        if after.reach > max(limit, before.reach):
            yield Breach(
                check=_NAME,
                message=(
                    f"The sector {sector} could come to {money(after.reach)}, should every "
                    f"working order fill; the limit is {money(limit)} "
                    f"({percent(view.limits.max_sector_share)} of net liquidation)."
                ),
                limit=number(limit),
                actual=number(after.reach),
                headroom=number(max(NOTHING.high, limit - before.reach)),
                hint="use a smaller --quantity, or close or cancel something first",
            )


def _limit(view: RiskView) -> Decimal:
    return view.account_value("net_liquidation") * view.limits.max_sector_share
