"""A market order pays whatever is asked: somebody must be asking, and not too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import percent, price
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.gauges import at_stake
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _most(bid: Decimal, ask: Decimal, view: RiskView) -> Decimal:
    return max(view.limits.max_spread_amount, view.limits.max_spread * (bid + ask) / 2)


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits = view.limits
    note = f"{percent(limits.max_spread)} or {price(limits.max_spread_amount)} of spread at most"
    yield Gauge(check="market_order", note=note)
    for contract in at_stake(view):
        aged = view.quotes.get(contract.con_id)
        if aged is None or aged.quote.bid is None or aged.quote.ask is None:
            continue
        bid, ask = aged.quote.bid, aged.quote.ask
        yield Gauge(
            check="market_order",
            subject=label(contract),
            limit=_most(bid, ask, view),
            used=ask - bid,
            unit=Unit.MONEY,
            note="spread",
        )


@check("market_order", gauge=_gauge)
def market_order(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny opening market orders without both sides of a quote, or across a wide spread."""
    limits = view.limits
    for change in proposal.openings:
        if change.spec.order_type is not OrderType.MARKET:
            continue
        name, quote = label(change.spec.contract), view.quote(change.spec.contract)
        bid, ask = quote.bid, quote.ask
        if bid is None or ask is None or not quote.is_two_sided:
            yield Breach(
                check="market_order",
                message=f"{name} is not quoted on both sides: a market order could pay anything.",
                hint="give it a limit price",
            )
            continue
        most = _most(bid, ask, view)
        if ask - bid > most:
            yield Breach(
                check="market_order",
                message=(
                    f"The spread of {name} is {price(ask - bid)} ({price(bid)} to {price(ask)}); "
                    f"a market order takes {percent(limits.max_spread)} "
                    f"or {price(limits.max_spread_amount)} at most."
                ),
                limit=number(most),
                actual=number(ask - bid),
                hint=f"give it a limit price: {number(ask if change.is_buy else bid)}",
            )
