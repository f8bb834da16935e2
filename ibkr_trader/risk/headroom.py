"""What an order would use of each limit: the gauges, read before and as if it worked already.

No check is asked anything here: the guard alone says whether the order may go out. This is for
the person who looks at it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.events import NewOrderEvent
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.risk import traffic
from ibkr_trader.risk.check import Unit
from ibkr_trader.risk.gauges import readings
from ibkr_trader.risk.largest_use import alone
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.commands import SubmitOrders
    from ibkr_trader.risk.check import Gauge
    from ibkr_trader.risk.view import RiskView


# The limits on single orders: by their names, the check and what the figures are.
_SINGLE = {
    "max_order_quantity": ("order_quantity", Unit.SHARES),
    "max_order_exposure": ("order_exposure", Unit.MONEY),
    "max_risk_per_trade": ("risk_per_trade", Unit.MONEY),
}


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of which an order would use more, or give some back.

    Attributes:
        before, after: How much is in use; None before if it was not known.
        note: What else the gauge says.
    """

    check: str
    subject: str = ""
    unit: Unit = Unit.COUNT
    limit: Decimal | None = None
    before: Decimal | None = None
    after: Decimal
    note: str = ""


def as_if(command: SubmitOrders, view: RiskView) -> RiskView:
    """Return the view as it would be once `command` is on its way: its orders count in full."""
    portfolio, history, strategies = view.portfolio, view.history, view.strategies
    begins = day_start(view.now, view.zone)
    count = view.traffic or Traffic(since=begins)
    for spec in command.orders:
        event = NewOrderEvent(
            at=view.now,
            order_id=spec.order_id,
            spec=spec,
            kind=command.kind,
            origin=command.origin,
        )
        portfolio, history = portfolio.apply(event), history.after(event)
        strategies = strategies.after(event, portfolio, begins=begins)
        count = traffic.after(count, event, day_start=begins)
    return msgspec.structs.replace(
        view,
        portfolio=portfolio,
        exposure=view.exposure.follow(portfolio),
        history=history,
        traffic=count,
        strategies=strategies,
    )


def uses(command: SubmitOrders, view: RiskView) -> tuple[Use, ...]:
    """Return the limits of which `command` would change what is in use.

    Those on single orders come first, of which nothing is in use before; then the others, in
    the checks' order.
    """
    before, after = _figures(view), _figures(as_if(command, view))
    own = tuple(
        Use(
            check=_SINGLE[part.name][0],
            subject=order_words(part.spec),
            unit=_SINGLE[part.name][1],
            limit=part.limit,
            before=ZERO,
            after=part.used,
        )
        for part in alone(command, view)
    )
    return own + tuple(
        Use(
            check=gauge.check,
            subject=gauge.subject,
            unit=gauge.unit,
            limit=gauge.limit,
            before=was.used if (was := before.get(place)) is not None else ZERO,
            after=gauge.used,
            note=gauge.note,
        )
        for place, gauge in after.items()
        if gauge.used is not None
        and (place not in before or before[place].used != gauge.used)
        and not (place not in before and gauge.used == ZERO)
    )


def _figures(view: RiskView) -> dict[tuple[str, str, Unit, int], Gauge]:
    """Every gauge's figures; the number tells apart what a check says twice of one subject."""
    found: dict[tuple[str, str, Unit, int], Gauge] = {}
    for gauge in readings(view):
        number = 0
        while (gauge.check, gauge.subject, gauge.unit, number) in found:
            number += 1
        found[gauge.check, gauge.subject, gauge.unit, number] = gauge
    return found
