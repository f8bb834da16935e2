"""How many orders may work at once; some places are kept for those that close."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Side
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.gauges import at_stake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.portfolio.contract_exposure import Working
    from ibkr_trader.risk.limits import RiskLimits
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits, exposure = view.limits, view.exposure
    yield _gauge_of("", "working orders", count=exposure.working, most=_places(limits))
    for contract in at_stake(view):
        working = exposure.contract(contract).working
        for side in Side:
            if count := _on(side, working):
                subject = f"{label(contract)} {side}"
                most = limits.max_working_per_side
                yield _gauge_of(subject, "working orders", count=count, most=most)


def _gauge_of(subject: str, note: str, *, count: int, most: int) -> Gauge:
    return Gauge(
        check="working_orders",
        subject=subject,
        limit=Decimal(most),
        used=Decimal(count),
        note=note,
    )


def _places(limits: RiskLimits) -> int:
    return limits.max_working - limits.closing_reserve


def _on(side: Side, working: Iterable[Working]) -> int:
    return sum(1 for order in working if (order.signed > 0) is (side is Side.BUY))


@check("working_orders", gauge=_gauge)
def working_orders(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings beyond the working orders that a symbol's side, or the account, may have.

    IBKR itself takes no more than 20 on one side of a contract.
    """
    if not (proposal.is_new and proposal.openings):
        return
    limits = view.limits
    for con_id, side in sorted({(c.spec.contract.con_id, c.spec.side) for c in proposal.changes}):
        working = proposal.after[con_id].working
        count = _on(side, working)
        if count > limits.max_working_per_side:
            name = next(
                label(c.spec.contract) for c in proposal.changes if c.spec.contract.con_id == con_id
            )
            yield _breach(f"{side} orders in {name}", count, limits.max_working_per_side)
    total = view.exposure.working + len(proposal.changes)
    most = _places(limits)
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
