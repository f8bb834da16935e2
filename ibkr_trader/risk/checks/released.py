"""What a person has released is not added to: nobody would look after what comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import Care
from ibkr_trader.core.events import Breach
from ibkr_trader.portfolio.caring import is_released
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "released"


def _gauge(view: RiskView) -> Iterator[Gauge]:
    cares = view.portfolio.cares.values()
    found = [one.contract for one in cares if one.care is Care.RELEASED]
    for contract in found:
        yield Gauge(check=_NAME, subject=label(contract), note="released: nothing is opened")
    if not found:
        yield Gauge(check=_NAME, note="nothing is released")


@check(_NAME, gauge=_gauge)
def released(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in a contract that a person has released: its exits would not follow."""
    for contract in proposal.opened:
        if is_released(view.portfolio, contract.con_id):
            yield Breach(
                check=_NAME,
                message=f"{label(contract)} was released: the desk leaves it and its exits alone.",
                hint=f"ibkr-trader adopt {ticker(contract)}",
            )
