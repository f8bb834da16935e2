"""Nothing is opened on a price that cannot be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import percent, price
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import Quote
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "quote_sane"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return how far a price of what is held has just moved, at most."""
    found = (view.quotes.get(con_id) for con_id in view.portfolio.positions)
    jumps = [aged.jump for aged in found if aged is not None and aged.jump is not None]
    yield Gauge(
        check=_NAME,
        limit=view.limits.max_jump,
        used=max(jumps, default=None),
        unit=Unit.PERCENT,
        note="moved within a second, of what is held",
    )


@check(_NAME, gauge=gauge)
def quote_sane(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings on a quote that lacks a side, is crossed, leaps, or contradicts itself."""
    most = view.limits.max_jump
    for contract in proposal.opened:
        aged = view.aged_quote(contract)
        quote, jump = aged.quote, aged.jump
        bid, ask = quote.bid, quote.ask
        if bid is None or ask is None or bid <= ZERO or ask <= ZERO:
            yield from _missing(quote)
            continue
        if bid > ask:
            message = f"is crossed: bid {price(bid)} above ask {price(ask)}"
            yield _breach(quote, message, limit=number(ask), actual=number(bid))
            continue
        if jump is not None and jump > most:
            message = f"has just leapt by {percent(jump)}; at most {percent(most)} is believed"
            yield _breach(quote, message, limit=percent(most), actual=percent(jump))
        yield from _stray(quote, bid, ask, most=most)


def _missing(quote: Quote) -> Iterator[Breach]:
    """Say which side nobody quotes; TWS has -1 or 0 for that, and neither is a price."""
    for side, at in (("bid", quote.bid), ("ask", quote.ask)):
        if at is None or at <= ZERO:
            told = "none" if at is None else number(at)
            yield _breach(quote, f"has no {side}", limit="above 0", actual=told)


def _stray(quote: Quote, bid: Decimal, ask: Decimal, *, most: Decimal) -> Iterator[Breach]:
    last = quote.last
    if last is None or bid * (1 - most) <= last <= ask * (1 + most):
        return
    message = (
        f"contradicts itself: last trade {price(last)}, bid {price(bid)}, ask {price(ask)}; "
        f"at most {percent(most)} outside is believed"
    )
    yield _breach(quote, message, limit=percent(most), actual=number(last))


def _breach(quote: Quote, message: str, *, limit: str, actual: str) -> Breach:
    return Breach(
        check=_NAME,
        message=f"The quote of {label(quote.contract)} {message}.",
        limit=limit,
        actual=actual,
        hint=f"look again in some seconds: ibkr-trader quote {ticker(quote.contract)}",
    )
