"""How many shares of one symbol there may be, should everything that works fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Side
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.gauges import OTHERS, at_stake, limited
from ibkr_trader.risk.wording import number, order_words, smaller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    held = {contract.symbol for contract in at_stake(view)}
    for symbol in limited(view):
        if symbol not in held:
            yield _gauge_of(symbol, symbol, used=ZERO, view=view)
    for contract in at_stake(view):
        most = view.exposure.contract(contract).most
        yield _gauge_of(contract.symbol, label(contract), used=most, view=view)


def _gauge_of(symbol: str, subject: str, *, used: Decimal, view: RiskView) -> Gauge:
    return Gauge(
        check="position_size",
        subject=subject,
        limit=view.symbol_limit(symbol or OTHERS).max_position_size,
        used=used,
        unit=Unit.SHARES,
        note="shares, should every order fill",
    )


@check("position_size", gauge=_gauge)
def position_size(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny what could make a position larger than the symbol's limit."""
    for change in proposal.openings:
        contract = change.spec.contract
        before, after = proposal.before[contract.con_id], proposal.after[contract.con_id]
        limit = view.symbol_limit(contract.symbol).max_position_size
        if change.spec.side is Side.BUY:
            could, could_before = after.longest, before.longest
        else:
            could, could_before = -after.shortest, -before.shortest
        if could > max(limit, could_before):
            yield _breach(change, could, held=after.held, limit=limit)


def _breach(change: Change, could: Decimal, *, held: Decimal, limit: Decimal) -> Breach:
    spec = change.spec
    short = "" if spec.side is Side.BUY else " short"
    others = could - spec.quantity - held * spec.side.sign
    if change.before is not None:
        others += change.before.filled
    beside = f", and other orders may add {quantity(others)}" if others > 0 else ""
    return Breach(
        check="position_size",
        message=(
            f"{order_words(spec)} would make {quantity(could)} shares{short}; "
            f"the limit is {quantity(limit)} (you hold {quantity(held)}{beside})."
        ),
        limit=number(limit),
        actual=number(could),
        headroom=number(max(limit - (could - spec.quantity), ZERO)),
        hint=smaller(spec, could - limit),
    )
