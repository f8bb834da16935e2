"""What each strategy holds, ties up and has made today: the account, cut along its owners.

Every contract has one owner at a time, and every trip one for good; so what the strategies and
nobody have together is the account's, to the cent. What is not known of a contract is not known
of its owner either.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.tallies import StrategyDay, Traffic
from ibkr_trader.portfolio.currency import currency_of, is_foreign
from ibkr_trader.portfolio.trips import NOBODY, Share, shares

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.portfolio.exposure import ExposureIndex
    from ibkr_trader.portfolio.pnl import DayPnl
    from ibkr_trader.portfolio.state import PortfolioState
    from ibkr_trader.portfolio.strategy_book import StrategyBook


class StrategyAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy, or nobody, as of one moment.

    Attributes:
        positions: The contracts that are its own, held or about to be, by con_id.
        capital: What they are worth at their worst; None if nobody knows.
        pnl: Its part of the day; None if nobody has worked out the day.
        day: What its orders came to.
    """

    name: str
    positions: tuple[int, ...] = ()
    capital: Decimal | None = ZERO
    pnl: Share | None = None
    day: StrategyDay

    @property
    def net(self) -> Decimal | None:
        """The day's result, open gains and costs included; None if some part is unknown."""
        return self.pnl.net if self.pnl is not None else None


class StrategyAccounts(msgspec.Struct, frozen=True, dict=True):
    """The pictures that an account is cut from; all four are of the same moment.

    What is worked out of them is so once, and only when somebody asks for it.
    """

    book: StrategyBook
    portfolio: PortfolioState
    exposure: ExposureIndex
    pnl: DayPnl | None

    @cached_property
    def owners(self) -> Mapping[int, str]:
        """Whose each contract is that is not free, by con_id."""
        con_ids = dict.fromkeys((*self.exposure.contracts, *self.book.unheard.values()))
        found = ((con_id, self.book.owner(self.portfolio, con_id)) for con_id in con_ids)
        return {con_id: owner for con_id, owner in found if owner is not None}

    @cached_property
    def parts(self) -> Mapping[str, Share] | None:
        """Each owner's part of the day; None if nobody has worked it out."""
        if self.pnl is None:
            return None
        found: dict[str, Share] = {}
        for con_id, one in self.pnl.contracts.items():
            ledger = self.book.ledgers.get(con_id)
            book = self.pnl.books[con_id]
            cut = shares(
                book,
                one,
                since=self.pnl.since,
                base_owner=NOBODY if ledger is None else ledger.base_owner,
                maker=self.book.maker,
            )
            for owner, share in cut.items():
                found[owner] = found.get(owner, Share()).plus(share)
        return found

    def account(self, name: str) -> StrategyAccount:
        """Return one strategy's account; that of nobody under the empty name."""
        parts = self.parts
        mine = tuple(sorted(c for c, owner in self.owners.items() if owner == name))
        values = [self.value(con_id) for con_id in mine]
        known = [value for value in values if value is not None]
        empty = StrategyDay(traffic=Traffic(since=self.book.since))
        return StrategyAccount(
            name=name,
            positions=mine,
            capital=sum(known, ZERO) if len(known) == len(values) else None,
            pnl=None if parts is None else parts.get(name, Share()),
            day=self.book.days.get(name, empty),
        )

    def names(self) -> tuple[str, ...]:
        """Return every owner there is anything of, nobody included, by name."""
        return tuple(sorted({*self.owners.values(), *self.book.days, *(self.parts or ())}))

    def value(self, con_id: int) -> Decimal | None:
        """Return what a contract is worth at its worst; None if nobody knows."""
        exposure = self.exposure.contracts.get(con_id)
        if exposure is None or con_id in self.book.unheard.values():
            return None  # a position is about to be there, and its executions are still to come
        if is_foreign(self.contract(con_id), currency_of(self.portfolio)):
            return None
        return worst_value(exposure, self.portfolio.marks.get(con_id))

    def contract(self, con_id: int) -> Contract:
        """Return the contract of an id that `owners` names."""
        position = self.portfolio.positions.get(con_id)
        if position is not None:
            return position.contract
        awaited = (self.portfolio.order(order_id) for order_id in self.book.unheard)
        orders = (*self.portfolio.orders.values(), *self.portfolio.unheard.values(), *awaited)
        found = (order.spec.contract for order in orders if order is not None)
        return next(contract for contract in found if contract.con_id == con_id)


def worst_value(exposure: ContractExposure, mark: Decimal | None) -> Decimal | None:
    """Return what is held at its mark, with what may be added to it at its worst price.

    That is the highest that an order which adds names, or the market's if that is higher. None
    if a price is needed and nobody knows it.
    """
    held, more = abs(exposure.held), exposure.most - abs(exposure.held)
    if held and mark is None:
        return None
    sign = 1 if exposure.longest >= -exposure.shortest else -1
    adding = [one for one in exposure.working if one.signed * sign > 0]
    named = [one.price for one in adding if one.price is not None]
    if more > 0 and mark is None and len(named) < len(adding):
        return None
    price = max([*named, mark or ZERO])
    return (held * (mark or ZERO) + max(ZERO, more) * price) * exposure.multiplier
