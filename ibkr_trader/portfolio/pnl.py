"""The day's profit and loss, by contract and in all: from executions and their costs.

Realised profit is that of the ledgers since the day began (`PortfolioState.begin_day`),
without commissions, which stand beside it. A commission that the broker has yet to state
is estimated as the day's average per unit of that contract, and counted as an estimate.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO, Contract, Fill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ibkr_trader.portfolio.positions import Book
    from ibkr_trader.portfolio.state import PortfolioState


class ContractPnl(msgspec.Struct, frozen=True, kw_only=True):
    """One contract's day.

    Attributes:
        realized: Gain of what was closed.
        unrealized: Gain of what is held at the last price; None without a price.
        commission: What trading has cost, estimates included.
        estimated: How much of `commission` is estimated.
        traded: Units bought and sold.
    """

    contract: Contract
    realized: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    commission: Decimal = ZERO
    estimated: Decimal = ZERO
    traded: Decimal = ZERO

    @property
    def net(self) -> Decimal | None:
        """Everything together; None if what is held has no price."""
        if self.unrealized is None:
            return None
        return self.realized + self.unrealized - self.commission


class DayPnl(msgspec.Struct, frozen=True, kw_only=True):
    """The account's day, by con_id and in all.

    `unpriced` are the contracts held without a price: their open gain is left out of the
    sums, so a limit must not trust them alone.
    """

    contracts: Mapping[int, ContractPnl]
    realized: Decimal = ZERO
    unrealized: Decimal = ZERO
    commission: Decimal = ZERO
    unpriced: tuple[int, ...] = ()

    @property
    def net(self) -> Decimal:
        """Everything that has a price, together."""
        return self.realized + self.unrealized - self.commission


def day_pnl(state: PortfolioState) -> DayPnl:
    """Return the day's profit and loss as the ledgers and last prices have it."""
    contracts = {
        con_id: _contract_pnl(book, state.marks.get(con_id))
        for con_id, book in state.books.items()
        if book.fills or book.position.quantity
    }
    open_gains = [one.unrealized for one in contracts.values() if one.unrealized is not None]
    return DayPnl(
        contracts=contracts,
        realized=sum((one.realized for one in contracts.values()), ZERO),
        unrealized=sum(open_gains, ZERO),
        commission=sum((one.commission for one in contracts.values()), ZERO),
        unpriced=tuple(key for key, one in contracts.items() if one.unrealized is None),
    )


def _contract_pnl(book: Book, mark: Decimal | None) -> ContractPnl:
    held = msgspec.structs.replace(book.position, market_price=mark)
    stated, estimated, traded = _costs(book.fills.values())
    return ContractPnl(
        contract=held.contract,
        realized=held.realized_pnl,
        unrealized=held.unrealized_pnl if held.quantity else ZERO,
        commission=stated + estimated,
        estimated=estimated,
        traded=traded,
    )


def _costs(fills: Iterable[Fill]) -> tuple[Decimal, Decimal, Decimal]:
    """The stated commissions, the estimate of the missing ones, and the units traded."""
    stated, charged, uncharged = ZERO, ZERO, ZERO
    for fill in fills:
        if fill.commission is None:
            uncharged += fill.quantity
        else:
            stated += fill.commission
            charged += fill.quantity
    estimated = stated / charged * uncharged if charged else ZERO
    return stated, estimated, charged + uncharged
