"""How much money one opening order may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.gauges import OTHERS, limited
from ibkr_trader.risk.pricing import paid_at_most
from ibkr_trader.risk.wording import number, order_words, smaller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    for symbol in limited(view):
        limit = view.symbol_limit(symbol or OTHERS).max_order_exposure
        yield Gauge(
            check="order_exposure",
            subject=symbol,
            limit=limit,
            used=ZERO,
            unit=Unit.MONEY,
            note="value of one order",
        )


@check("order_exposure", gauge=_gauge)
def order_exposure(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening order that is worth more than the symbol's limit."""
    for change in proposal.openings:
        spec = change.spec
        limit = view.symbol_limit(spec.contract.symbol).max_order_exposure
        unit = paid_at_most(view, spec) * spec.contract.multiplier
        value = spec.quantity * unit
        if value > limit:
            yield Breach(
                check="order_exposure",
                message=(
                    f"{order_words(spec)} is worth {money(value)}; the limit is {money(limit)}."
                ),
                limit=number(limit),
                actual=number(value),
                headroom=number(limit),
                hint=smaller(spec, (value - limit) / unit),
            )
