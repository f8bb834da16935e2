"""Only what the limits were written for: plain shares, in the account's own currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import price
from ibkr_trader.risk.check import check
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


@check("instrument")
def instrument(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in another kind of instrument or currency, and in penny shares."""
    values, limits = view.portfolio.values, view.limits
    currency = values.currency if values is not None else "USD"
    for contract in proposal.opened:
        if contract.sec_type not in limits.sec_types:
            allowed = ", ".join(sorted(limits.sec_types))
            yield Breach(
                check="instrument",
                message=f"{label(contract)} is of type {contract.sec_type}; allowed: {allowed}.",
                limit=allowed,
                actual=contract.sec_type,
                hint="set [risk] sec_types in config.toml, if you mean to trade it",
            )
        if contract.currency != currency:
            yield Breach(
                check="instrument",
                message=(
                    f"{label(contract)} trades in {contract.currency}; "
                    f"the limits of this account are in {currency}."
                ),
                limit=currency,
                actual=contract.currency,
                hint=f"name a listing in {currency}",
            )
        mark = view.quote(contract).mark
        if mark is not None and mark < limits.min_price:
            yield Breach(
                check="instrument",
                message=(
                    f"{label(contract)} trades at {price(mark)}; "
                    f"nothing is opened below {price(limits.min_price)}."
                ),
                limit=number(limits.min_price),
                actual=number(mark),
                hint="set [risk] min_price in config.toml, if you mean to trade it",
            )
