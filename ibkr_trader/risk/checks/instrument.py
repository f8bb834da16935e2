"""Only what the limits were written for: plain shares, in the account's own currency.

Which symbols, two lists say: those that may be opened at all, and those that may not. The
second counts where both name one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import price
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.limits import RiskLimits
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits = view.limits
    notes = [
        f"may be opened: {', '.join(sorted(limits.sec_types))} from {price(limits.min_price)} up",
        f"only {', '.join(sorted(limits.allowed_symbols))}" if limits.allowed_symbols else "",
        f"not {', '.join(sorted(limits.restricted_symbols))}" if limits.restricted_symbols else "",
    ]
    yield Gauge(check="instrument", note="; ".join(note for note in notes if note))


@check("instrument", gauge=_gauge)
def instrument(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in another kind of instrument, currency or symbol, and in penny shares."""
    values, limits = view.portfolio.values, view.limits
    currency = values.currency if values is not None else "USD"
    for contract in proposal.opened:
        if contract.sec_type not in limits.sec_types:
            allowed = ", ".join(sorted(limits.sec_types))
            yield Breach(
                check="instrument",
                message=f"{label(contract)} is of type {contract.sec_type}; allowed: {allowed}.",
                limit=allowed,
                actual=contract.sec_type,
                hint="set [risk] sec_types in config.toml, if you mean to trade it",
            )
        if contract.currency != currency:
            yield Breach(
                check="instrument",
                message=(
                    f"{label(contract)} trades in {contract.currency}; "
                    f"the limits of this account are in {currency}."
                ),
                limit=currency,
                actual=contract.currency,
                hint=f"name a listing in {currency}",
            )
        yield from _listed(contract, limits)
        mark = view.quote(contract).mark
        if mark is not None and mark < limits.min_price:
            yield Breach(
                check="instrument",
                message=(
                    f"{label(contract)} trades at {price(mark)}; "
                    f"nothing is opened below {price(limits.min_price)}."
                ),
                limit=number(limits.min_price),
                actual=number(mark),
                hint="set [risk] min_price in config.toml, if you mean to trade it",
            )


def _listed(contract: Contract, limits: RiskLimits) -> Iterator[Breach]:
    """Deny what is on the one list, or not on the other; an option is listed by its share."""
    symbol = contract.symbol
    if symbol in limits.restricted_symbols:
        yield Breach(
            check="instrument",
            message=f"{label(contract)} is restricted: it is not opened here.",
            limit=f"not {', '.join(sorted(limits.restricted_symbols))}",
            actual=symbol,
            hint="take it out of [risk] restricted_symbols in config.toml, if you mean to trade it",
        )
    elif limits.allowed_symbols and symbol not in limits.allowed_symbols:
        allowed = ", ".join(sorted(limits.allowed_symbols))
        yield Breach(
            check="instrument",
            message=f"{label(contract)} is not among the symbols that may be opened: {allowed}.",
            limit=allowed,
            actual=symbol,
            hint="add it to [risk] allowed_symbols in config.toml, if you mean to trade it",
        )
