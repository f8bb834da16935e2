"""The day's profit and loss, by contract, by symbol and in all: from executions and their costs.

It is counted from where the day began. What was held then counts from the close of the session
before, everything since from its executions, so that realised and open gain together are the
day's result however old a position is. Where nobody says that close, the average cost is taken
instead, and a note says so.

A commission that the broker has yet to state is estimated, and counted as an estimate: as the
day's average per unit of that contract, or at a usual rate before the first is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO, Contract, Fill, Position
from ibkr_trader.portfolio.positions import signed, traded

if TYPE_CHECKING:
    from ibkr_trader.portfolio.positions import Book
    from ibkr_trader.portfolio.state import PortfolioState

UNPRICED = "no price for what is held"
UNBEGUN = "what it was worth when the day began is unknown"
BY_COST = "the previous close is unknown: counted from the average cost"
_LEAST_COMMISSION = Decimal(1)  # of an execution, before the broker has stated any
_USUAL_RATE = Decimal("0.005")  # a unit
_NEARLY_NOTHING = Decimal("0.01")
_NEVER = datetime.min.replace(tzinfo=UTC)


class ContractPnl(msgspec.Struct, frozen=True, kw_only=True):
    """One contract's day.

    Attributes:
        realized: Gain of what was closed.
        unrealized: Gain of what is held at the last price; None if it cannot be known.
        commission: What trading has cost, estimates included.
        estimated: How much of `commission` is estimated.
        traded: Units bought and sold.
        quantity, basis: What is held, signed, and the price that it is counted from.
        note: Why a gain is unknown, or what it is counted from; empty if all is as it should be.
    """

    contract: Contract
    realized: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    commission: Decimal = ZERO
    estimated: Decimal = ZERO
    traded: Decimal = ZERO
    quantity: Decimal = ZERO
    basis: Decimal = ZERO
    note: str = ""

    @property
    def net(self) -> Decimal | None:
        """Everything together; None if what is held has no price."""
        if self.unrealized is None:
            return None
        return self.realized + self.unrealized - self.commission

    def at(self, mark: Decimal | None) -> ContractPnl:
        """Return the same day with what is held at another price."""
        if self.note == UNBEGUN or not self.quantity:
            return self
        if mark is None:
            return msgspec.structs.replace(self, unrealized=None, note=UNPRICED)
        gain = self.quantity * (mark - self.basis) * self.contract.multiplier
        note = "" if self.note == UNPRICED else self.note
        return msgspec.structs.replace(self, unrealized=gain, note=note)


class DayPnl(msgspec.Struct, frozen=True, kw_only=True):
    """The account's day, kept from one portfolio to the next.

    Attributes:
        since: When the day began.
        contracts: By con_id; those that were neither held nor traded are absent.
        realized, unrealized, commission, estimated: The sums of what is known.
        unpriced: The contracts whose result is unknown; then so is the account's.
        books, marks, closes: What it was made from.
    """

    since: datetime = _NEVER
    contracts: Mapping[int, ContractPnl] = MappingProxyType({})
    realized: Decimal = ZERO
    unrealized: Decimal = ZERO
    commission: Decimal = ZERO
    estimated: Decimal = ZERO
    unpriced: tuple[int, ...] = ()
    books: Mapping[int, Book] = MappingProxyType({})
    marks: Mapping[int, Decimal] = MappingProxyType({})
    closes: Mapping[int, Decimal] = MappingProxyType({})

    @property
    def net(self) -> Decimal | None:
        """Everything together; None if some part of it is unknown."""
        if self.unpriced:
            return None
        return self.realized + self.unrealized - self.commission

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as it should be, a line for each contract."""
        return tuple(f"{o.contract.symbol}: {o.note}" for o in self.contracts.values() if o.note)

    def symbols(self) -> dict[str, Decimal | None]:
        """Return each symbol's result, its contracts together; None if some part is unknown."""
        found: dict[str, Decimal | None] = {}
        for one in self.contracts.values():
            symbol, net = one.contract.symbol, one.net
            before = found.get(symbol, ZERO)
            found[symbol] = None if before is None or net is None else before + net
        return found

    def of_symbol(self, symbol: str) -> Decimal | None:
        """Return one symbol's result, zero if there is none; None if some part is unknown."""
        total = ZERO
        for one in self.contracts.values():
            if one.contract.symbol == symbol:
                net = one.net
                if net is None:
                    return None
                total += net
        return total

    def follow(self, portfolio: PortfolioState, since: datetime) -> DayPnl:
        """Return the day of a later portfolio; only contracts with news are looked at again.

        Ledgers and prices are frozen, so one that is the same object is unchanged. A day that
        began at another moment (a new one; or the simulator's clock was set back) is counted
        from nothing.
        """
        books, marks, closes = portfolio.books, portfolio.marks, portfolio.closes
        if since != self.since:
            return _counted({}, portfolio, since, news=books)
        if books is self.books and marks is self.marks and closes is self.closes:
            return self
        news = _changed(self.books, books) | {
            con_id: None for con_id in _changed(self.closes, closes) if con_id in books
        }
        moved = {
            con_id: self.contracts[con_id].at(marks.get(con_id))
            for con_id in _changed(self.marks, marks)
            if con_id in self.contracts
        }
        if not news and not moved:
            return msgspec.structs.replace(self, books=books, marks=marks, closes=closes)
        return _counted({**self.contracts, **moved}, portfolio, since, news=news)


def contract_pnl(book: Book, since: datetime, close: Decimal | None) -> ContractPnl | None:
    """Return one contract's day, what is held without a price yet; None if there was nothing.

    Args:
        book: Its ledger, from before the day began.
        since: When the day began.
        close: Of the session before; None if nobody says.
    """
    today = book.since(since)
    if not today.base.quantity and not today.fills:
        return None
    fills = sorted(today.fills.values(), key=lambda fill: (fill.at, fill.fill_id))
    held, note = _morning(today, close)
    for fill in fills:
        held = traded(held, signed(fill), fill.price)
    stated, estimated, units = _costs(fills)
    is_known = note != UNBEGUN
    return ContractPnl(
        contract=held.contract,
        realized=held.realized_pnl if is_known else ZERO,
        unrealized=None if held.quantity or not is_known else ZERO,
        commission=stated + estimated,
        estimated=estimated,
        traded=units,
        quantity=held.quantity,
        basis=held.average_cost,
        note=note,
    )


def _morning(today: Book, close: Decimal | None) -> tuple[Position, str]:
    """What was held when the day began, at the price it is counted from."""
    base = today.base
    if not base.quantity:
        return base, ""
    is_flat = not today.position.quantity
    if close is None:
        # Of what was flat when the broker told us, nobody says what it had cost.
        return base, UNBEGUN if is_flat and not base.average_cost else BY_COST
    if not is_flat and today.fills and base.average_cost <= close * _NEARLY_NOTHING:
        # Came for nothing, on a day with trades: a split has changed how many there
        # are and left what they cost. That is no gain.
        return base, BY_COST
    return msgspec.structs.replace(base, average_cost=close), ""


def _counted(
    known: Mapping[int, ContractPnl],
    portfolio: PortfolioState,
    since: datetime,
    *,
    news: Iterable[int],
) -> DayPnl:
    """The day with the contracts that have `news` counted anew, and the sums of all."""
    books, marks, closes = portfolio.books, portfolio.marks, portfolio.closes
    contracts = dict(known)
    for con_id in news:
        book = books.get(con_id)
        one = None if book is None else contract_pnl(book, since, closes.get(con_id))
        if one is None:
            contracts.pop(con_id, None)
        else:
            contracts[con_id] = one.at(marks.get(con_id))
    gains = (one.unrealized for one in contracts.values())
    return DayPnl(
        since=since,
        contracts=contracts,
        realized=sum((one.realized for one in contracts.values()), ZERO),
        unrealized=sum((gain for gain in gains if gain is not None), ZERO),
        commission=sum((one.commission for one in contracts.values()), ZERO),
        estimated=sum((one.estimated for one in contracts.values()), ZERO),
        unpriced=tuple(key for key, one in contracts.items() if one.unrealized is None),
        books=books,
        marks=marks,
        closes=closes,
    )


def _costs(fills: Iterable[Fill]) -> tuple[Decimal, Decimal, Decimal]:
    """The stated commissions, the estimate of the missing ones, and the units traded."""
    stated, charged, missing = ZERO, ZERO, []
    for fill in fills:
        if fill.commission is None:
            missing.append(fill.quantity)
        else:
            stated += fill.commission
            charged += fill.quantity
    uncharged = sum(missing, ZERO)
    if charged:
        estimated = stated / charged * uncharged
    else:
        usual = (max(_LEAST_COMMISSION, size * _USUAL_RATE) for size in missing if size)
        estimated = sum(usual, ZERO)
    return stated, estimated, charged + uncharged


def _changed(before: Mapping[int, object], after: Mapping[int, object]) -> dict[int, None]:
    """The keys whose values are other objects than they were, gone ones included."""
    if before is after:
        return {}
    found = {key: None for key, value in after.items() if before.get(key) is not value}
    return found | {key: None for key in before if key not in after}
