"""Nothing is opened in a halted market, nor while it finds its price again afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "halted"
_OVER = timedelta(0)


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return the contracts that are halted, or were lately."""
    found = False
    for con_id, details in view.details.items():
        aged = view.quotes.get(con_id)
        left = _left(details.contract, view)
        if aged is not None and aged.quote.halted:
            note = "halted"
        elif left > _OVER:
            note = f"was halted: {seconds(left)} to go"
        else:
            continue
        found = True
        yield Gauge(check=_NAME, subject=label(details.contract), note=note)
    if not found:
        yield Gauge(check=_NAME, note="no exchange has halted anything")


@check(_NAME, gauge=gauge)
def halted(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in a contract that is halted, and for a while after it was."""
    for contract in proposal.opened:
        if view.quote(contract).halted:
            yield Breach(
                check=_NAME,
                message=f"Trading in {label(contract)} is halted.",
                hint="wait until it is resumed",
            )
        elif (left := _left(contract, view)) > _OVER:
            pause = seconds(view.limits.halt_pause)
            yield Breach(
                check=_NAME,
                message=(
                    f"Trading in {label(contract)} was halted a moment ago: "
                    f"nothing is opened for {pause} after it goes on."
                ),
                limit=pause,
                actual=seconds(view.limits.halt_pause - left),
                hint=f"try again in {seconds(left)}",
            )


def _left(contract: Contract, view: RiskView) -> timedelta:
    """How long the pause still lasts; a clock that was set back does not prolong it."""
    seen = view.unhalted.get(contract.con_id)
    return _OVER if seen is None else view.limits.halt_pause - abs(view.now - seen)
