"""How far past the market a limit order may pay: the guard against a slipped digit.

Only the aggressive side is bounded. A limit that rests behind the market may be anywhere;
it fills at that price or not at all. A plain limit that is past the other side of the market
trades at once, so it has the narrowest collar; one that waits for its trigger, or for the
close, needs more room.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import percent, price
from ibkr_trader.risk.check import Binds, Gauge, Unit, check
from ibkr_trader.risk.pricing import entry_of, market_for
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView

_CENT = Decimal("0.01")


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits = view.limits
    rows = (
        ("a limit that trades at once", limits.marketable_collar),
        ("a limit behind a trigger", limits.order_collar),
        (f"an opening limit below {price(limits.low_price)}", limits.low_price_collar),
        ("a closing limit", limits.closing_collar),
    )
    for note, most in rows:
        yield Gauge(check="price_collar", limit=most, unit=Unit.PERCENT, note=note)


@check("price_collar", Binds.ALL_IF_KNOWN, gauge=_gauge)
def price_collar(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny limits too far past the market or their own trigger; of closing ones, remark on them."""
    for change in proposal.changes:
        spec = change.spec
        if spec.limit_price is None:
            continue
        if spec.stop_price is not None:
            # It starts to pay where it triggers, not where the market is now.
            yield from _judge(change, spec.limit_price, view=view, base=spec.stop_price)
        elif entry_of(change, proposal, view) is None:
            base = market_for(view, change)
            yield from _judge(change, spec.limit_price, view=view, base=base)


def _judge(change: Change, limit: Decimal, *, view: RiskView, base: Decimal) -> Iterator[Breach]:
    most = _collar(change, base, view)
    sign = change.spec.side.sign
    if (limit - base) * sign <= most * base:
        return
    edge = (base * (1 + most * sign)).quantize(_CENT, ROUND_DOWN if change.is_buy else ROUND_UP)
    beyond, bound = ("above", "less") if change.is_buy else ("below", "more")
    yield Breach(
        check="price_collar",
        is_warning=not change.opens,  # who wants out at any price is told, and let out
        message=(
            f"The {change.spec.side} limit {price(limit)} is {percent(abs(limit / base - 1))} "
            f"{beyond} {price(base)}; at most {percent(most)} is paid past it."
        ),
        limit=number(edge),
        actual=number(limit),
        hint=f"use --limit {number(edge)} or {bound}; check the decimal point",
    )


def _collar(change: Change, base: Decimal, view: RiskView) -> Decimal:
    limits = view.limits
    if not change.opens:
        return limits.closing_collar
    if base < limits.low_price:
        return limits.low_price_collar
    is_plain = change.spec.order_type is OrderType.LIMIT
    return limits.marketable_collar if is_plain else limits.order_collar
