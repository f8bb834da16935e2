"""What may be lost in a day: of one symbol, and in all. Near the limit nothing more is opened.

What halts the desk at the limit itself is `execution/loss_watch.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import money, percent
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.loss_levels import (
    ACCOUNT,
    DayLoss,
    LossLevel,
    day_loss,
    day_losses,
    unknown_parts,
)
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import FOREIGN_HINT, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.portfolio.pnl import DayPnl
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "daily_loss"


def _gauge(view: RiskView) -> Iterator[Gauge]:
    pnl = view.pnl
    if pnl is None or pnl.net is None:
        note = "nobody has worked out the day's result" if pnl is None else unknown_parts(pnl)
        limit = view.limits.max_daily_loss
        yield Gauge(check=_NAME, limit=limit, unit=Unit.MONEY, note=note)
    if pnl is not None:
        for one in day_losses(pnl, view.limits, view.symbol_limits):
            if one.is_whole:
                yield Gauge(
                    check=_NAME, subject=one.symbol, limit=one.limit, used=one.loss, unit=Unit.MONEY
                )


@check(_NAME, gauge=_gauge)
def daily_loss(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings near the day's limit of loss, the account's or the symbol's; warn before it.

    Raises:
        FactMissing: If some part of the day's result is unknown.
    """
    if not proposal.openings:
        return
    pnl = view.pnl
    if pnl is None:
        raise FactMissing("Nobody has worked out the day's result yet.", about=_NAME)
    if pnl.net is None:
        raise FactMissing(
            f"The day's result is unknown: {unknown_parts(pnl)}.", about=_NAME, hint=_hint(pnl)
        )
    results: dict[str, Decimal | None] = {ACCOUNT: pnl.net}
    results |= {contract.symbol: pnl.of_symbol(contract.symbol) for contract in proposal.opened}
    for symbol, net in results.items():
        if net is not None and net < 0:
            lost = day_loss(net, view.limits, view.symbol_limits, symbol=symbol)
            yield from _judged(lost, view)


def _judged(lost: DayLoss, view: RiskView) -> Iterator[Breach]:
    if lost.level is LossLevel.NONE:
        return
    is_warning = lost.level is LossLevel.WARNING
    of = f"The day's loss in {lost.symbol}" if lost.symbol else "The day's loss"
    share = view.limits.loss_reducing
    then = "" if is_warning else f"; from {percent(share, digits=0)} on nothing more is opened"
    yield Breach(
        check=_NAME,
        message=(
            f"{of} is {money(lost.loss)}, {percent(lost.share, digits=0)} of its limit of "
            f"{money(lost.limit)}{then}."
        ),
        limit=number(lost.limit),
        actual=number(lost.loss),
        headroom=number(max(lost.limit * share - lost.loss, lost.loss * 0)),
        hint="" if is_warning else "the day begins anew at midnight in New York; closing is free",
        is_warning=is_warning,
    )


def _hint(pnl: DayPnl) -> str:
    found = [pnl.contracts[con_id] for con_id in pnl.unpriced]
    unpriced = dict.fromkeys(ticker(one.contract) for one in found if not one.is_foreign)
    return f"ibkr-trader quote {' '.join(unpriced)}" if unpriced else FOREIGN_HINT
