"""How many messages go out for each order that trades: IBKR restricts who wastes its systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import quantity
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.traffic import FEW, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.tallies import Traffic
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "order_efficiency"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return the day's ratio; it binds once there are many messages."""
    traffic = view.traffic
    told = _words(traffic) if traffic is not None else "messages to one trade: nothing was sent yet"
    yield Gauge(
        check=_NAME,
        limit=view.limits.max_efficiency,
        used=None if traffic is None else ratio(traffic),
        unit=Unit.RATIO,
        note=f"{told}; it binds from {FEW} messages on",
    )


@check(_NAME, gauge=gauge)
def order_efficiency(_: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings on a day with far more messages than trades; warn before that."""
    traffic, limits = view.traffic, view.limits
    if traffic is None or traffic.messages < FEW:
        return
    found = traffic.ratio
    if found < min(limits.efficiency_warning, limits.max_efficiency):
        return
    is_far, found = found >= limits.max_efficiency, ratio(traffic)
    most = limits.max_efficiency if is_far else limits.efficiency_warning
    yield Breach(
        check=_NAME,
        message=(
            f"{_words(traffic)}: {quantity(found)} for each, and IBKR calls more than 20 "
            f"excessive; {'nothing is opened' if is_far else 'a warning is due'} "
            f"from {quantity(most)} on."
        ),
        limit=quantity(most),
        actual=quantity(found),
        hint="change orders rather than replace them, and let day orders expire; "
        "the count begins anew at midnight",
        is_warning=not is_far,
    )


def _words(traffic: Traffic) -> str:
    return (
        f"Today {traffic.messages} messages were sent ({traffic.orders} orders, "
        f"{traffic.changes} changes, {traffic.cancels} cancels) and "
        f"{traffic.executions} orders traded"
    )
