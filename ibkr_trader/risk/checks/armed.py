"""A live desk opens nothing unless a person has armed it; and none that was disarmed does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Say for how long the desk is armed, or what it lacks."""
    arming = view.arming
    if not arming.is_armed(view.now):
        told = "; ".join(lack.message for lack in view.arming.missing(view.now))
        yield Gauge(check="armed", note=f"not armed: {told}")
    elif arming.is_live and arming.until is not None:
        yield Gauge(check="armed", note=f"armed for another {seconds(arming.until - view.now)}")
    else:
        yield Gauge(check="armed", note="armed: no real money is at stake")


@check("armed", gauge=gauge)
def armed(_: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening unless the desk is armed, with all that is missing; warn a preview."""
    if view.arming.is_armed(view.now):
        return
    for lack in view.arming.missing(view.now):
        yield Breach(
            check="armed",
            message=f"{lack.message}.",
            limit="armed",
            actual="not armed",
            hint=lack.hint,
            is_warning=view.is_preview,  # nothing is sent
        )
