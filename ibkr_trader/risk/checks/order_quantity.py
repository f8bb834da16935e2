"""How many shares one opening order may have: the guard against a slipped finger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.wording import number, order_words, smaller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    yield Gauge(
        check="order_quantity",
        limit=view.limits.max_order_quantity,
        used=ZERO,
        unit=Unit.SHARES,
        note="shares in one order",
    )


@check("order_quantity", gauge=_gauge)
def order_quantity(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening order above our limit, or below what the exchange takes."""
    most = view.limits.max_order_quantity
    for change in proposal.openings:
        spec = change.spec
        if spec.quantity > most:
            yield Breach(
                check="order_quantity",
                message=f"{order_words(spec)} is a large order; the limit is {quantity(most)}.",
                limit=number(most),
                actual=number(spec.quantity),
                headroom=number(most),
                hint=smaller(spec, spec.quantity - most),
            )
        least = view.contract_details(spec.contract).min_size
        if 1 <= spec.quantity < least:
            yield Breach(
                check="order_quantity",
                message=f"{order_words(spec)} is too small: the exchange takes {quantity(least)}.",
                limit=number(least),
                actual=number(spec.quantity),
                hint=f"use --quantity {number(least)} or more",
            )
