"""A live desk opens nothing unless a person has armed it; and none that was disarmed does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.arming import Lack
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_IS_NOW, _WAS = "The desk is ", "the desk was "
HOW = "ibkr-trader arm"
HOW_LIVE = "at a terminal: ibkr-trader arm --profile live"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Say for how long the desk is armed, or what it lacks."""
    arming = view.arming
    if not arming.is_armed(view.now):
        told = "; ".join(lack.message for lack in lacks(view))
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
    for lack in lacks(view):
        yield Breach(
            check="armed",
            message=f"{lack.message}.",
            limit="armed",
            actual="not armed",
            hint=lack.hint,
            is_warning=view.is_preview,  # nothing is sent
        )


def lacks(view: RiskView) -> Iterator[Lack]:
    """Yield everything that keeps the desk from being armed, at once."""
    arming = view.arming
    yield from arming.lacks
    is_over = arming.until is not None and arming.until <= view.now
    if is_over or arming.until is None or arming.is_disarmed:
        why = arming.reason or ("the armed time is over" if is_over else "nobody has armed it")
        name, how = ("The live desk", HOW_LIVE) if arming.is_live else ("The desk", HOW)
        if any(one.message == why for one in arming.lacks):
            yield Lack(f"{name} is not armed any more", how)
        else:  # what has ended it may well be over by now
            yield Lack(f"{name} is not armed ({why.replace(_IS_NOW, _WAS)})", how)
