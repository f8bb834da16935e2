"""Every price is one that the exchange knows: a multiple of its step at that price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import price
from ibkr_trader.core.ticks import conforms, increment_at, round_down, round_up
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_PRICES = {
    "limit_price": "limit price",
    "stop_price": "stop price",
    "trail_amount": "trail amount",
}
_FLAGS = {"limit_price": "--limit", "stop_price": "--stop", "trail_amount": "--trail-amount"}


@check("tick", Binds.ALL_IF_KNOWN, gauge=rule("tick", "every price is a multiple of its step"))
def tick(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny prices between two steps. Whoever made the order should have rounded them."""
    for change in proposal.changes:
        spec = change.spec
        details = view.contract_details(spec.contract)
        for words, value, flag in _prices(spec):
            if not conforms(value, details.bands):
                step = increment_at(value, details.bands)
                below, above = round_down(value, details.bands), round_up(value, details.bands)
                yield Breach(
                    check="tick",
                    message=(
                        f"The {words} {price(value)} of {label(spec.contract)} is not "
                        f"a multiple of {price(step)}."
                    ),
                    limit=number(step),
                    actual=number(value),
                    hint=f"use {flag} {number(below)} or {number(above)}".replace("  ", " "),
                )


def _prices(spec: OrderSpec) -> Iterator[tuple[str, Decimal, str]]:
    """Each price that the order names, in words, with the option that sets it."""
    for field, words in _PRICES.items():
        value = getattr(spec, field)
        if value is not None:
            yield words, value, _FLAGS[field]
    if spec.adjustment is None:
        return
    yield "adjustment's trigger", spec.adjustment.trigger, ""
    for field, words in _PRICES.items():
        value = getattr(spec.adjustment, field)
        if value is not None:
            yield f"adjusted {words}", value, ""
