"""A symbol has one owner: what one strategy is in, or a person, no other strategy touches.

Two in one position would share its exits, and nobody could say whose profit it is. So a wish of
another strategy is denied whichever side it is on. People are not bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.origins import strategy_of
from ibkr_trader.portfolio.strategy_book import belonging
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

NAME = "strategy_owner"


def _gauge(view: RiskView) -> Iterator[Gauge]:
    accounts = view.strategy_accounts()
    found = {con_id: owner for con_id, owner in accounts.owners.items() if owner}
    for con_id, owner in found.items():
        name = label(accounts.contract(con_id))
        yield Gauge(check=NAME, subject=name, note=f"belongs to the strategy {owner}")
    if not found:
        yield Gauge(check=NAME, note="no strategy is in anything")


@check(NAME, gauge=_gauge)
def strategy_owner(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny a strategy to open in a symbol that another strategy, or a person, is in."""
    name = strategy_of(proposal.command.origin)
    if not name:
        return
    for contract in proposal.opened:
        owner = view.strategies.owner(view.portfolio, contract.con_id)
        if owner is None or owner == name:
            continue
        yield Breach(
            check=NAME,
            message=f"{belonging(contract, owner)}: the strategy {name} opens nothing in it.",
            limit=name,
            actual=owner or "nobody",
            hint="close it first, or leave the symbol to one of them",
        )
