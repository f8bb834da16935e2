"""How much one trade may lose if its stop is hit: the smaller of an amount and a share of equity.

It binds entries, whatever makes an entry larger or dearer, and a stop that is moved away.
A scale-in counts with what it adds, at the stop that follows it. What all trades may lose
together is another check's to say.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import money, percent, price
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.entry_stops import is_entry, most_lost, trades
from ibkr_trader.risk.wording import number, order_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.entry_stops import Trade
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_CENT = Decimal("0.01")


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits, values = view.limits, view.portfolio.values
    known = values is not None and values.net_liquidation is not None
    yield Gauge(
        check="risk_per_trade",
        limit=most_lost(view) if known else limits.max_risk_per_trade,
        unit=Unit.MONEY,
        note=f"for each entry, at most {percent(limits.max_risk_share)} of net liquidation",
    )


@check("risk_per_trade", gauge=_gauge)
def risk_per_trade(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny entries that would lose more at their stops than one trade may lose."""
    for trade in trades(proposal, view):
        limit = most_lost(view)
        if trade.loss > limit:
            yield _breach(trade, limit, view)


def _breach(trade: Trade, limit: Decimal, view: RiskView) -> Breach:
    spec = trade.change.spec
    stops = "its stops" if len(trade.stops) > 1 else "its stop"
    if not is_entry(trade.change):
        stops = "the stop" if len(trade.stops) == 1 else "the stops"
    share = percent(view.limits.max_risk_share)
    most = f"max_risk_per_trade is {money(view.limits.max_risk_per_trade)}"
    return Breach(
        check="risk_per_trade",
        message=(
            f"{order_words(spec)} could lose {money(trade.loss)} at {stops}, "
            f"{price(trade.furthest)} a share from {price(trade.base)}; the limit is "
            f"{money(limit)} ({share} of net liquidation, and {most})."
        ),
        limit=number(limit),
        actual=number(trade.loss),
        headroom=number(limit),
        hint=_hint(trade, limit),
    )


def _hint(trade: Trade, limit: Decimal) -> str:
    """What would fit: the largest quantity, or, for a stop that is moved, where it may go."""
    spec = trade.change.spec
    if is_entry(trade.change):
        a_share = trade.furthest * spec.contract.multiplier
        fits = (limit / a_share).to_integral_value(ROUND_FLOOR)
        if fits >= 1:
            return f"use --quantity {number(fits)} or less"
        return f"a single share would lose {money(a_share)}: move the stop nearer"
    if len(trade.stops) > 1 or spec.stop_price is None:
        return "move the stop less far"
    room = limit / (trade.quantity * spec.contract.multiplier)
    sign = spec.side.sign
    # Rounded towards the entry, so that what it says does fit.
    edge = (trade.base + sign * room).quantize(_CENT, ROUND_CEILING if sign < 0 else ROUND_FLOOR)
    return f"use --stop {number(edge)} or {'more' if sign < 0 else 'less'}"
