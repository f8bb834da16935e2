"""How many orders may work at once; some places are kept for those that close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Side
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


@check("working_orders")
def working_orders(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings beyond the working orders that a symbol's side, or the account, may have.

    IBKR itself takes no more than 20 on one side of a contract.
    """
    if not (proposal.is_new and proposal.openings):
        return
    limits = view.limits
    for con_id, side in sorted({(c.spec.contract.con_id, c.spec.side) for c in proposal.changes}):
        working = proposal.after[con_id].working
        count = sum(1 for order in working if (order.signed > 0) is (side is Side.BUY))
        if count > limits.max_working_per_side:
            name = next(
                label(c.spec.contract) for c in proposal.changes if c.spec.contract.con_id == con_id
            )
            yield _breach(f"{side} orders in {name}", count, limits.max_working_per_side)
    total = view.exposure.working + len(proposal.changes)
    most = limits.max_working - limits.closing_reserve
    if total > most:
        yield _breach("orders", total, most)


def _breach(what: str, count: int, most: int) -> Breach:
    return Breach(
        check="working_orders",
        message=f"That would make {count} working {what}; the limit is {most}.",
        limit=str(most),
        actual=str(count),
        headroom="0",
        hint="cancel some first: ibkr-trader orders",
    )
