"""Every check's gauge, read at once; and what several of them need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.view import FactMissing

OTHERS = "*"  # stands for a symbol that has no limits of its own

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.check import GaugeFunction
    from ibkr_trader.risk.view import RiskView


def rule(name: str, words: Callable[[RiskView], str] | str) -> GaugeFunction:
    """Return the gauge of a check that has no figure: it says in a few words how it stands."""

    def gauge(view: RiskView) -> Iterator[Gauge]:
        yield Gauge(check=name, note=words if isinstance(words, str) else words(view))

    return gauge


def readings(view: RiskView) -> Iterator[Gauge]:
    """Yield what every check's gauge says; one that lacks a fact says which."""
    for name in CHECKS:
        yield from reading(name, view)


def reading(name: str, view: RiskView) -> Iterator[Gauge]:
    """Yield what the gauge of one check says."""
    gauge = CHECKS[name].gauge
    if gauge is None:
        return
    try:
        yield from gauge(view)
    except FactMissing as fact:
        yield Gauge(check=name, note=fact.message)


def limited(view: RiskView) -> list[str]:
    """Return every symbol that has a limit of its own or is at stake; "" is all others."""
    symbols = {contract.symbol for contract in at_stake(view)} | set(view.symbol_limits.symbols)
    return ["", *sorted(symbols)]


def at_stake(view: RiskView) -> list[Contract]:
    """Return the contracts that are held or have working orders, by name."""
    book = view.portfolio
    found = {con_id: position.contract for con_id, position in book.positions.items()}
    found |= {order.spec.contract.con_id: order.spec.contract for order in book.orders.values()}
    known = (found[con_id] for con_id in view.exposure.contracts if con_id in found)
    return sorted(known, key=label)
