"""What everything may be worth, should every working order fill: of one symbol, and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import money, percent
from ibkr_trader.risk.check import check
from ibkr_trader.risk.pricing import worst_case
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


@check("worst_case_exposure")
def worst_case_exposure(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings that could pass the limits on one symbol's, or the gross, value."""
    if not proposal.openings:
        return
    equity, limits = view.account_value("net_liquidation"), view.limits
    worst = worst_case(proposal, view)
    limit = equity * limits.max_symbol_share
    for symbol, value in worst.by_symbol.items():
        if value > limit:
            yield _breach(symbol, value, limit=limit, share=limits.max_symbol_share)
    limit = equity * limits.max_gross_exposure
    if worst.gross > limit:
        yield _breach(
            "Everything together", worst.gross, limit=limit, share=limits.max_gross_exposure
        )


def _breach(what: str, value: Decimal, *, limit: Decimal, share: Decimal) -> Breach:
    return Breach(
        check="worst_case_exposure",
        message=(
            f"{what} could come to {money(value)}, should every working order fill; "
            f"the limit is {money(limit)} ({percent(share)} of net liquidation)."
        ),
        limit=number(limit),
        actual=number(value),
        hint="use a smaller --quantity, or close or cancel something first",
    )
