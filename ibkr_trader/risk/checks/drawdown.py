"""How far the account may be below its peak. Near the limit nothing more is opened.

What halts the desk at the limit itself is `execution/loss_watch.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money, percent
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.loss_levels import LossLevel, below_peak, level_of
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "drawdown"


def _gauge(view: RiskView) -> Iterator[Gauge]:
    values, limit = view.portfolio.values, view.limits.max_drawdown
    equity = values.net_liquidation if values is not None else None
    peak = view.equity_peak
    note = f"peak {money(peak)}" if peak is not None else "no peak is known yet"
    used = None if equity is None else below_peak(equity, peak)
    yield Gauge(check=_NAME, limit=limit, used=used, unit=Unit.PERCENT, note=note)


@check(_NAME, gauge=_gauge)
def drawdown(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings near the limit of what the account may lose from its peak; warn before it.

    Raises:
        FactMissing: If nobody says what the account is worth.
    """
    if not proposal.openings:
        return
    limits = view.limits
    lost = below_peak(view.account_value("net_liquidation"), view.equity_peak)
    level = level_of(lost, limits.max_drawdown, limits)
    if level is LossLevel.NONE:
        return
    is_warning = level is LossLevel.WARNING
    share = lost / limits.max_drawdown
    then = ""
    if not is_warning:
        then = f"; from {percent(limits.loss_reducing, digits=0)} on nothing more is opened"
    yield Breach(
        check=_NAME,
        message=(
            f"The account is {percent(lost)} below its peak of {money(view.equity_peak)}, "
            f"{percent(share, digits=0)} of the {percent(limits.max_drawdown)} allowed{then}."
        ),
        limit=number(limits.max_drawdown),
        actual=number(lost),
        headroom=number(max(limits.max_drawdown * limits.loss_reducing - lost, ZERO)),
        hint="" if is_warning else "closing is free; a person may raise risk.max_drawdown",
        is_warning=is_warning,
    )
