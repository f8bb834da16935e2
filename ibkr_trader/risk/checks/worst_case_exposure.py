"""What everything may be worth, should working orders fill: of one symbol, in all, and net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money, percent
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.net_exposure import worst_net
from ibkr_trader.risk.pricing import NOTHING, now_at_worst, worst_case
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits, values = view.limits, view.portfolio.values
    equity = values.net_liquidation if values is not None else None
    rows: list[tuple[str, Decimal, Decimal | None]] = [
        (symbol, limits.max_symbol_share, value) for symbol, value in _by_symbol(view).items()
    ]
    try:
        gross, net = now_at_worst(view).gross, worst_net(NOTHING, view)
        rows += [("gross", limits.max_gross_exposure, gross), ("net", limits.max_net_exposure, net)]
    except FactMissing:
        rows += [("gross", limits.max_gross_exposure, None), ("net", limits.max_net_exposure, None)]
    for subject, share, used in rows:
        yield Gauge(
            check="worst_case_exposure",
            subject=subject,
            limit=equity * share if equity is not None else None,
            used=used,
            unit=Unit.MONEY,
            note=f"{percent(share)} of net liquidation",
        )


def _by_symbol(view: RiskView) -> dict[str, Decimal | None]:
    """What each symbol may be worth; None where something of it has no price."""
    held = (position.contract for position in view.portfolio.positions.values())
    bought = (order.spec.contract for order in view.portfolio.orders.values())
    symbols = {contract.con_id: contract.symbol for contract in (*held, *bought)}
    found: dict[str, Decimal | None] = {}
    for con_id, one in sorted(view.exposure.contracts.items(), key=lambda row: symbols[row[0]]):
        before = found.get(symbols[con_id], ZERO)
        is_known = before is not None and one.value is not None
        found[symbols[con_id]] = (before or ZERO) + (one.value or ZERO) if is_known else None
    return found


@check("worst_case_exposure", gauge=_gauge)
def worst_case_exposure(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings that could pass the limits on one symbol's, the gross, or the net value."""
    if not proposal.openings:
        return
    equity, limits = view.account_value("net_liquidation"), view.limits
    worst = worst_case(proposal, view)
    limit = equity * limits.max_symbol_share
    for symbol, value in worst.by_symbol.items():
        if value > limit:
            yield _breach(symbol, value, limit=limit, share=limits.max_symbol_share)
    limit = equity * limits.max_gross_exposure
    if worst.gross > limit:
        yield _breach(
            "Everything together", worst.gross, limit=limit, share=limits.max_gross_exposure
        )
    limit = equity * limits.max_net_exposure
    # The net value is never more than the gross: most often there is nothing to add up.
    if worst.gross > limit and (net := worst_net(proposal, view)) > limit:
        yield _breach("Longs less shorts", net, limit=limit, share=limits.max_net_exposure)


def _breach(what: str, value: Decimal, *, limit: Decimal, share: Decimal) -> Breach:
    return Breach(
        check="worst_case_exposure",
        message=(
            f"{what} could come to {money(value)}, should every working order fill; "
            f"the limit is {money(limit)} ({percent(share)} of net liquidation)."
        ),
        limit=number(limit),
        actual=number(value),
        hint="use a smaller --quantity, or close or cancel something first",
    )
