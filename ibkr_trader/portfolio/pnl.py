"""The day's profit and loss, by contract, by symbol and in all: from executions and their costs.

It is counted from where the day began. What was held then counts from the close of the session
before, everything since from its executions, so that realised and open gain together are the
day's result however old a position is. A close has no date: right after the day began it is still
that of two sessions ago. So one counts only if it was heard since; until then what was held
counts from its last price before the day began, and where nobody knows that, from its average
cost. A note says so.

What is in other money than the account is never added: its result, and so the day's, is unknown.

A commission that the broker has yet to state is estimated, and counted as an estimate: as the
day's average per unit of that contract, or at a usual rate before the first is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.models import ZERO, Contract, Position
from ibkr_trader.portfolio.currency import FOREIGN, currency_of, is_foreign
from ibkr_trader.portfolio.day_tally import DayTally

if TYPE_CHECKING:
    from ibkr_trader.portfolio.ledger_fold import Close
    from ibkr_trader.portfolio.positions import Book
    from ibkr_trader.portfolio.state import PortfolioState

UNPRICED = "no price for what is held"
UNBEGUN = "what it was worth when the day began is unknown"
BY_COST = "the previous close is unknown: counted from the average cost"
BY_MARK = "no close since the day began: counted from the last price before it"
_NEARLY_NOTHING = Decimal("0.01")
_NEVER = datetime.min.replace(tzinfo=UTC)


class Morning(NamedTuple):
    """What was known of a contract when the day began, by who was there.

    Attributes:
        quantity: What was held, signed.
        price: Its last price before.
        since: From when on a close that is heard is not older than that price.
    """

    quantity: Decimal
    price: Decimal
    since: datetime


class ContractPnl(msgspec.Struct, frozen=True, kw_only=True):
    """One contract's day.

    Attributes:
        realized: Gain of what was closed.
        unrealized: Gain of what is held at the last price; None if it cannot be known.
        commission: What trading has cost, estimates included.
        estimated: How much of `commission` is estimated.
        traded: Units bought and sold.
        quantity, basis: What is held, signed, and the price that it is counted from.
        opening: The price that what was held when the day began is counted from.
        doubt: What `basis` is, if it is not what it should be.
        is_foreign: Whether it is in other money than the account; then nothing of it is known.
    """

    contract: Contract
    realized: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    commission: Decimal = ZERO
    estimated: Decimal = ZERO
    traded: Decimal = ZERO
    quantity: Decimal = ZERO
    basis: Decimal = ZERO
    opening: Decimal = ZERO
    doubt: str = ""
    is_foreign: bool = False

    @property
    def note(self) -> str:
        """Why a gain is unknown, or what it is counted from; empty if all is as it should be."""
        if self.is_foreign:
            return FOREIGN.format(self.contract.currency)
        return UNPRICED if self.unrealized is None and self.doubt != UNBEGUN else self.doubt

    @property
    def net(self) -> Decimal | None:
        """Everything together; None if what is held has no price."""
        if self.unrealized is None:
            return None
        return self.realized + self.unrealized - self.commission

    @property
    def known(self) -> Decimal:
        """What is known of the result: without a price for what is held, that of the rest.

        A gain over the average cost may be years old: without the rest it says nothing of today.
        """
        if self.unrealized is not None:
            return self.realized + self.unrealized - self.commission
        return (ZERO if self.doubt == BY_COST else self.realized) - self.commission

    def at(self, mark: Decimal | None) -> ContractPnl:
        """Return the same day with what is held at another price."""
        if self.is_foreign or self.doubt == UNBEGUN or not self.quantity:
            return self
        if mark is None:
            return msgspec.structs.replace(self, unrealized=None)
        gain = self.quantity * (mark - self.basis) * self.contract.multiplier
        return msgspec.structs.replace(self, unrealized=gain)


class DayPnl(msgspec.Struct, frozen=True, kw_only=True):
    """The account's day, kept from one portfolio to the next.

    Attributes:
        since: When the day began.
        contracts: By con_id; those that were neither held nor traded are absent.
        realized, unrealized, commission, estimated: The sums of what is known.
        unpriced: The contracts whose result is unknown; then so is the account's.
        begun: What was known when the day began, by con_id; empty for who was not there.
        currency: The account's; empty is not stated.
        books, marks, closes: What it was made from.
        tallies: What its contracts' executions add up to, by con_id.
    """

    since: datetime = _NEVER
    begun: Mapping[int, Morning] = MappingProxyType({})
    currency: str = ""
    contracts: Mapping[int, ContractPnl] = MappingProxyType({})
    realized: Decimal = ZERO
    unrealized: Decimal = ZERO
    commission: Decimal = ZERO
    estimated: Decimal = ZERO
    unpriced: tuple[int, ...] = ()
    books: Mapping[int, Book] = MappingProxyType({})
    marks: Mapping[int, Decimal] = MappingProxyType({})
    closes: Mapping[int, Close] = MappingProxyType({})
    tallies: Mapping[int, DayTally] = MappingProxyType({})

    @property
    def net(self) -> Decimal | None:
        """Everything together; None if some part of it is unknown."""
        if self.unpriced:
            return None
        return self.realized + self.unrealized - self.commission

    @property
    def known(self) -> Decimal:
        """The sum of what is known, whether or not that is everything."""
        net = self.net
        return net if net is not None else sum((one.known for one in self.contracts.values()), ZERO)

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

    def known_symbols(self) -> dict[str, Decimal]:
        """Return what is known of each symbol's result."""
        found: dict[str, Decimal] = {}
        for one in self.contracts.values():
            symbol = one.contract.symbol
            found[symbol] = found.get(symbol, ZERO) + one.known
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
        began at another moment is counted anew: the next one from where this one was when it was
        followed last; an earlier one (the simulator's clock was set back) from nothing.
        """
        books, marks, closes = portfolio.books, portfolio.marks, portfolio.closes
        currency = currency_of(portfolio)
        if since != self.since or currency != self.currency:
            begun = self.begun if since == self.since else self._left(since)
            day = DayPnl(since=since, begun=begun, currency=currency)
            return _counted(day, portfolio, news=books)
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
        day = msgspec.structs.replace(self, contracts={**self.contracts, **moved})
        return _counted(day, portfolio, news=news)

    def _left(self, since: datetime) -> dict[int, Morning]:
        """What is known of this day at its end, when the one of `since` begins."""
        if not _NEVER < self.since < since:
            return {}
        found: dict[int, Morning] = {}
        for con_id, one in self.contracts.items():
            price, known = self.marks.get(con_id), self.begun.get(con_id)
            if price is not None and one.quantity:
                # Over a weekend nothing moves: a close that came on its way stays the last one.
                is_still = known is not None and known.price == price
                fresh = known.since if known is not None and is_still else since
                found[con_id] = Morning(one.quantity, price, fresh)
        return found


def _price(
    quantity: Decimal, since: datetime, close: Close | None, *, morning: Morning | None
) -> tuple[Decimal | None, str]:
    """What `quantity` was worth a unit when the day began, and what is wrong with that."""
    fresh = since if morning is None else morning.since
    if close is not None and close.heard >= fresh:
        return close.price, ""
    # What has become more or less over night was restated: by a split, its price is another.
    if morning is not None and morning.quantity == quantity:
        return morning.price, BY_MARK
    return None, BY_COST


def _begin(
    base: Position, at: tuple[Decimal | None, str], *, is_flat: bool, has_traded: bool
) -> tuple[Position, str]:
    """What was held when the day began, at the price it is counted from."""
    close, doubt = at
    if not base.quantity:
        return base, ""
    if close is None:
        # Of what was flat when the broker told us, nobody says what it had cost.
        return base, UNBEGUN if is_flat and not base.average_cost else BY_COST
    if not is_flat and has_traded and base.average_cost <= close * _NEARLY_NOTHING:
        # Came for nothing, on a day with trades: a split has changed how many there
        # are and left what they cost. That is no gain.
        return base, BY_COST
    return msgspec.structs.replace(base, average_cost=close), doubt


def _tally(day: DayPnl, portfolio: PortfolioState, con_id: int) -> tuple[DayTally, str] | None:
    """One contract's day, added up, and what is wrong with its beginning; None without a day."""
    book = portfolio.books.get(con_id)
    if book is None:
        return None
    former = day.tallies.get(con_id)
    tally = former.after(book) if former is not None else None
    if tally is not None:
        base, executions = tally.base, tally.executions
    else:
        today = book.since(day.since)
        base, executions = today.base, len(today.fills)
    if not base.quantity and not executions:
        return None
    price = _price(
        base.quantity, day.since, portfolio.closes.get(con_id), morning=day.begun.get(con_id)
    )
    is_flat = not book.position.quantity
    began, doubt = _begin(base, price, is_flat=is_flat, has_traded=bool(executions))
    if tally is None or tally.began != began:
        tally = DayTally.of(book, since=day.since, base=base, began=began)
    return tally, doubt


def _contract_pnl(
    tally: DayTally, doubt: str, *, currency: str, mark: Decimal | None
) -> ContractPnl:
    held, costs = tally.held, tally.costs
    if is_foreign(held.contract, currency):
        return ContractPnl(
            contract=held.contract,
            unrealized=None,
            traded=tally.traded,
            quantity=held.quantity,
            basis=held.average_cost,
            is_foreign=True,
        )
    is_known = doubt != UNBEGUN
    one = ContractPnl(
        contract=held.contract,
        realized=held.realized_pnl if is_known else ZERO,
        unrealized=None if held.quantity or not is_known else ZERO,
        commission=costs.stated + costs.estimated,
        estimated=costs.estimated,
        traded=tally.traded,
        quantity=held.quantity,
        basis=held.average_cost,
        opening=tally.began.average_cost,
        doubt=doubt,
    )
    return one.at(mark)


def _counted(day: DayPnl, portfolio: PortfolioState, *, news: Iterable[int]) -> DayPnl:
    """The day with the contracts that have `news` counted anew, and the sums of all."""
    contracts, tallies = dict(day.contracts), dict(day.tallies)
    for con_id in news:
        found = _tally(day, portfolio, con_id)
        if found is None:
            contracts.pop(con_id, None)
            tallies.pop(con_id, None)
        else:
            tallies[con_id], doubt = found
            mark = portfolio.marks.get(con_id)
            contracts[con_id] = _contract_pnl(
                tallies[con_id], doubt, currency=day.currency, mark=mark
            )
    gains = (one.unrealized for one in contracts.values())
    return msgspec.structs.replace(
        day,
        contracts=contracts,
        tallies=tallies,
        realized=sum((one.realized for one in contracts.values()), ZERO),
        unrealized=sum((gain for gain in gains if gain is not None), ZERO),
        commission=sum((one.commission for one in contracts.values()), ZERO),
        estimated=sum((one.estimated for one in contracts.values()), ZERO),
        unpriced=tuple(key for key, one in contracts.items() if one.unrealized is None),
        books=portfolio.books,
        marks=portfolio.marks,
        closes=portfolio.closes,
    )


def _changed(before: Mapping[int, object], after: Mapping[int, object]) -> dict[int, None]:
    """The keys whose values are other objects than they were, gone ones included."""
    if before is after:
        return {}
    found = {key: None for key, value in after.items() if before.get(key) is not value}
    return found | {key: None for key in before if key not in after}
