"""Which price a check compares with: the market's, or that of the entry an exit hangs from.

An exit of an entry that has not filled is judged by that entry's price, everything else
by the side of the market that it would trade against.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO, GroupId
from ibkr_trader.risk.proposal import Proposal
from ibkr_trader.risk.view import FactMissing

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, OrderSpec
    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.risk.proposal import Change
    from ibkr_trader.risk.view import RiskView


def market_price(view: RiskView, contract: Contract, side: Side) -> Decimal:
    """Return what `side` trades against now: the ask for a buyer, the bid for a seller.

    Raises:
        FactMissing: If the quote has no usable price.
    """
    quote = view.quote(contract)
    near = quote.ask if side is Side.BUY else quote.bid
    price = near if near is not None and near > 0 else quote.mark
    if price is None or price <= 0:
        raise FactMissing(f"The quote of {label(contract)} has no price.", about="quote_fresh")
    return price


def market_for(view: RiskView, change: Change) -> Decimal:
    """Return the market's price for a change; what does not open needs it to be fresh.

    A stale price must not refuse an exit: better that the broker judges it.

    Raises:
        FactMissing: If there is no price, or only a stale one for what does not open.
    """
    spec = change.spec
    if not change.opens and view.aged_quote(spec.contract).age > view.limits.max_quote_age:
        raise FactMissing(f"The quote of {label(spec.contract)} is stale.")
    return market_price(view, spec.contract, spec.side)


def paid_at_most(view: RiskView, spec: OrderSpec) -> Decimal:
    """Return the price that values an order: the most a buyer may pay, a seller may owe.

    Raises:
        FactMissing: If the order names no price and the market has none.
    """
    if spec.side is Side.BUY and spec.limit_price is not None:
        return spec.limit_price
    named = spec.stop_price if spec.limit_price is None else spec.limit_price
    market = market_price(view, spec.contract, spec.side)
    return market if named is None else max(named, market)


def entry_of(change: Change, proposal: Proposal, view: RiskView) -> OrderSpec | None:
    """Return the entry that `change` is an exit of, while that entry has yet to fill."""
    inside = proposal.entry_of(change)
    if inside is not None:
        return inside.spec
    parent = change.spec.parent_id
    order = view.portfolio.orders.get(parent) if parent is not None else None
    return order.spec if order is not None and not order.filled else None


def entry_price(view: RiskView, entry: OrderSpec) -> Decimal:
    """Return the price at which `entry` is expected to fill.

    Raises:
        FactMissing: If it names no price and the market has none.
    """
    if entry.limit_price is not None:
        return entry.limit_price
    if entry.stop_price is not None:
        return entry.stop_price
    return market_price(view, entry.contract, entry.side)


NOTHING = Proposal(
    command=SubmitOrders(group_id=GroupId(""), orders=()), changes=(), before={}, after={}
)


class WorstCase(NamedTuple):
    """What everything may be worth, should every working order and the proposal fill."""

    gross: Decimal
    tied: Decimal
    by_symbol: dict[str, Decimal]


def now_at_worst(view: RiskView) -> WorstCase:
    """Return the worst case as it is, with nothing more going out.

    Raises:
        FactMissing: If some part of it has no price.
    """
    return worst_case(NOTHING, view)


def worst_case(proposal: Proposal, view: RiskView) -> WorstCase:
    """Return the worst case after `proposal`, the contracts it opens at the market or above.

    Raises:
        FactMissing: If some part of it has no price.
    """
    gross, tied = view.exposure.gross, view.exposure.tied
    by_symbol: dict[str, Decimal] = {}
    opened = {contract.con_id for contract in proposal.opened}
    for contract in proposal.opened:
        before, after = proposal.before[contract.con_id], proposal.after[contract.con_id]
        side = Side.BUY if after.longest >= -after.shortest else Side.SELL
        after = after.priced(market_price(view, contract, side))
        value = after.value or ZERO
        gross += value - (before.value or ZERO)
        tied += (after.tied or ZERO) - (before.tied or ZERO)
        by_symbol[contract.symbol] = by_symbol.get(contract.symbol, ZERO) + value
    for con_id in view.exposure.unpriced - opened:
        other = priced_by_quote(view.exposure.contracts[con_id], view)
        gross += other.value or ZERO
        tied += other.tied or ZERO
    return WorstCase(gross, tied, by_symbol)


def priced_by_quote(exposure: ContractExposure, view: RiskView) -> ContractExposure:
    """Return what nobody has named a price for at the market's.

    Raises:
        FactMissing: If there is no quote.
    """
    aged = view.quotes.get(exposure.con_id)
    mark = aged.quote.mark if aged is not None else None
    if mark is None:
        names = ", ".join(order.order_id for order in exposure.working)
        raise FactMissing(f"Nobody knows yet what {names} may cost: there is no price for it.")
    return exposure.priced(mark)
