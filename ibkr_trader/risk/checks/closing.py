"""What is being closed is not opened meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import moment
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    if not view.portfolio.closings:
        yield Gauge(check="closing", note="nothing is being closed")
    for one in view.portfolio.closings.values():
        note = f"being closed since {moment(one.at, view.zone)}: nothing is opened"
        yield Gauge(check="closing", subject=label(one.contract), note=note)


@check("closing", gauge=_gauge)
def closing(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in a contract that is on its way to flat.

    They would trade against the closing order, or be what it then fails to close.
    """
    for contract in proposal.opened:
        under_way = view.portfolio.closings.get(contract.con_id)
        if under_way is not None:
            yield Breach(
                check="closing",
                message=(
                    f"{label(contract)} is being closed since {moment(under_way.at, view.zone)}."
                ),
                actual=under_way.group_id,
                hint=f"wait until it is flat: ibkr-trader close {ticker(contract)}",
            )
