"""Longs less shorts, at their worst: what no subset of the working orders may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO
from ibkr_trader.risk.pricing import market_price, priced_by_quote

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def worst_net(proposal: Proposal, view: RiskView) -> Decimal:
    """Return the largest net value, long or short, that any subset of the orders leads to.

    The longest that each contract may get counts, less what stays short of others even then;
    and the other way round. What offsets counts at what it is worth now, and not at more.

    Raises:
        FactMissing: If some part of it has no price.
    """
    opened = {contract.con_id: contract for contract in proposal.opened}
    long = short = ZERO
    for con_id, exposure in {**view.exposure.contracts, **proposal.after}.items():
        contract = opened.get(con_id)
        if contract is not None:
            priced = exposure.priced(market_price(view, contract, Side.BUY))
        else:
            priced = exposure if exposure.value is not None else priced_by_quote(exposure, view)
        high = (priced.price or ZERO) * priced.multiplier
        low = high if priced.held_price is None else priced.held_price * priced.multiplier
        long += priced.longest * (high if priced.longest > 0 else low)
        short -= priced.shortest * (high if priced.shortest < 0 else low)
    return max(long, short)
