"""At some times of the day nothing is opened: while the gateway restarts, or at news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import moment
from ibkr_trader.risk.blackouts import end_after, holds
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "blackout"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return the windows, and what the exchange's clock says."""
    windows = ", ".join(sorted(view.limits.blackouts))
    told = f"nothing is opened {windows}" if windows else "none"
    now = moment(view.now, view.zone, with_date=False)
    yield Gauge(check=_NAME, note=f"{told}; it is {now}")


@check(_NAME, gauge=gauge)
def blackout(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings within a window of the exchange's day: that go out in it, or begin in it."""
    closed = view.limits.blackouts
    if not closed:
        return
    later = {change.spec.good_after for change in proposal.openings if change.spec.good_after}
    for at in (view.now, *(one for one in sorted(later) if one > view.now)):
        local = at.astimezone(view.zone)
        for window in closed:
            if holds(window, local):
                yield _breach(window, at, view)


def _breach(window: str, at: datetime, view: RiskView) -> Breach:
    clock = moment(at, view.zone, with_date=False)
    ends = moment(end_after(window, at, view.zone), view.zone)
    return Breach(
        check=_NAME,
        message=(
            f"Nothing is opened in {window} by the exchange's clock; "
            f"it is {'' if at == view.now else 'meant for '}{clock}."
        ),
        limit=window,
        actual=at.isoformat(),
        hint=f"try again at {ends}, or set [risk] blackouts in config.toml",
    )
