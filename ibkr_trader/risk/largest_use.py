"""Which limit a command comes nearest to: what a person should look at twice before it goes.

No check is asked anything here: the guard alone says whether the command may go out. Counted
is what the command itself makes of a limit (its own size, or the position after it), not what
the day has used up already.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import Side
from ibkr_trader.core.text import money, percent, quantity
from ibkr_trader.risk.entry_stops import is_entry, most_lost, trades
from ibkr_trader.risk.pricing import paid_at_most, worst_case
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibkr_trader.core.commands import SubmitOrders
    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

    Reckoning = Callable[[Proposal, RiskView], Iterator["Part"]]


_WHOLE = Decimal("0.01")  # a whole percent


class Part(NamedTuple):
    """How much of one limit an order uses; `words` is the limit as people read it."""

    spec: OrderSpec
    name: str
    used: Decimal
    limit: Decimal
    words: str

    @property
    def share(self) -> Decimal:
        """The part that is used, as a fraction."""
        return self.used / self.limit

    def __str__(self) -> str:
        share = percent(self.share.quantize(_WHOLE, ROUND_UP))
        return f"{order_words(self.spec)} uses {share} of {self.name} ({self.words})"


def largest_use(command: SubmitOrders, view: RiskView) -> Part | None:
    """Return the limit of which `command` uses the largest part; None if it opens nothing.

    A limit that cannot be reckoned with, because something is not known, is left out: the
    guard denies the command for it.
    """
    proposal = propose(command, view)
    found = [part for reckon in _RECKONINGS for part in _known(reckon, proposal, view)]
    return max(found, key=lambda part: part.share, default=None)


def alone(command: SubmitOrders, view: RiskView) -> tuple[Part, ...]:
    """Return how much each order uses of the limits on single orders, as far as is known."""
    proposal = propose(command, view)
    single = (_quantities, _values, _losses)
    return tuple(part for reckon in single for part in _known(reckon, proposal, view))


def _known(reckon: Reckoning, proposal: Proposal, view: RiskView) -> list[Part]:
    try:
        return [part for part in reckon(proposal, view) if part.limit > 0]
    except FactMissing:
        return []


def _entries(proposal: Proposal) -> Iterator[OrderSpec]:
    return (change.spec for change in proposal.openings if is_entry(change))


def _quantities(proposal: Proposal, view: RiskView) -> Iterator[Part]:
    most = view.limits.max_order_quantity
    for spec in _entries(proposal):
        yield Part(spec, "max_order_quantity", spec.quantity, most, quantity(most))


def _values(proposal: Proposal, view: RiskView) -> Iterator[Part]:
    for spec in _entries(proposal):
        most = view.symbol_limit(spec.contract.symbol).max_order_exposure
        value = spec.quantity * paid_at_most(view, spec) * spec.contract.multiplier
        yield Part(spec, "max_order_exposure", value, most, money(most))


def _positions(proposal: Proposal, view: RiskView) -> Iterator[Part]:
    for spec in _entries(proposal):
        most = view.symbol_limit(spec.contract.symbol).max_position_size
        after = proposal.after[spec.contract.con_id]
        could = after.longest if spec.side is Side.BUY else -after.shortest
        yield Part(spec, "max_position_size", could, most, quantity(most))


def _symbols(proposal: Proposal, view: RiskView) -> Iterator[Part]:
    entries = list(_entries(proposal))
    if not entries:
        return
    most = view.account_value("net_liquidation") * view.limits.max_symbol_share
    by_symbol = worst_case(proposal, view).by_symbol
    for spec in entries:
        value = by_symbol[spec.contract.symbol]
        yield Part(spec, "max_symbol_share", value, most, money(most))


def _losses(proposal: Proposal, view: RiskView) -> Iterator[Part]:
    for trade in trades(proposal, view):
        most = most_lost(view)
        yield Part(trade.change.spec, "max_risk_per_trade", trade.loss, most, money(most))


_RECKONINGS: tuple[Reckoning, ...] = (_quantities, _values, _positions, _symbols, _losses)
