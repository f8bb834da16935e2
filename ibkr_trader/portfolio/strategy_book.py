"""Which strategy every order and every position belongs to, and what its orders came to today.

A symbol belongs to the strategy whose entry opened it, or is about to, until it is flat and no
order works in it. What a person has opened, here or elsewhere, belongs to nobody: no strategy
touches it. Exits and repairs belong to whoever opened their group, and so does a closing to whoever
asked for it.

A fold over events, beside the portfolio: it learns from each event once that is in the
portfolio. A checkpoint keeps what the executions of a day do not say by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import parse_order_id
from ibkr_trader.core.models import OrderId
from ibkr_trader.core.tallies import StrategyDay, StrategyDays, Traffic
from ibkr_trader.portfolio import message_count
from ibkr_trader.portfolio.makers import Makers, opens
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.portfolio.trips import NOBODY, Trip, trip_on, trip_over

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, Order
    from ibkr_trader.portfolio.state import PortfolioState

_NEVER = datetime.min.replace(tzinfo=UTC)
_replace = msgspec.structs.replace


class Ledger(NamedTuple):
    """One contract's executions, who opened what they begin with, and what they lead to.

    Without a `trip` nobody has asked whose it is: no strategy was there.
    """

    book: Book
    base_owner: str = NOBODY
    trip: Trip | None = None

    @property
    def owner(self) -> str:
        """Who opened what is held now."""
        return NOBODY if self.trip is None else self.trip.owner


class StrategyBook(Makers, frozen=True, kw_only=True):
    """What belongs to which strategy.

    Attributes:
        since: When the day began that `days` counts.
        days: What each strategy's orders came to; under the empty name those of nobody.
        ledgers: By con_id: whose each position is.
        unheard: Entries that the broker calls filled without their executions, with their
            contracts: the position is about to be there.
        is_begun: Positions are known: a checkpoint says nothing new from here on.
        books: What `ledgers` was made from.
    """

    since: datetime = _NEVER
    days: Mapping[str, StrategyDay] = MappingProxyType({})
    ledgers: Mapping[int, Ledger] = MappingProxyType({})
    unheard: Mapping[OrderId, int] = MappingProxyType({})
    is_begun: bool = False
    books: Mapping[int, Book] = MappingProxyType({})

    def owner(self, portfolio: PortfolioState, con_id: int) -> str | None:
        """Return whose a contract is: a strategy's, nobody's (empty), or None if it is free.

        While it is held, that is whoever opened it; else whoever's order came first of those
        that work in it: an exit that is left over could open it, too.
        """
        if con_id in portfolio.positions:
            ledger = self.ledgers.get(con_id)
            return NOBODY if ledger is None else ledger.owner
        for order_id, contract in self.unheard.items():
            if contract == con_id:
                return self.maker(order_id)
        # One that is called filled may have opened it, whatever it was meant for.
        working = (*portfolio.orders.values(), *portfolio.unheard.values())
        live = (o for o in working if o.spec.contract.con_id == con_id)
        first = min(live, key=_place, default=None)
        return None if first is None else self.maker(first.order_id)

    def of_day(self, begins: datetime, *, now: datetime | None = None) -> StrategyBook:
        """Return the book on the day that began at `begins`: what an older one counts is over.

        So is one that is ahead of `now`: it is of a simulator whose clock was set back.
        """
        is_ahead = now is not None and self.since > now
        if self.since >= begins and not is_ahead:
            return self
        return _replace(self, since=begins, days={})

    def after(
        self, event: ev.BaseEvent, portfolio: PortfolioState, *, begins: datetime
    ) -> StrategyBook:
        """Return the book after `event`; the same object if it says nothing of strategies.

        Args:
            event: What happened.
            portfolio: The account after it.
            begins: When the account's day of the event began.
        """
        match event:
            case ev.CheckpointEvent(strategy_days=kept) if kept is not None and not self.is_begun:
                return _restored(kept, portfolio)
            case ev.CheckpointEvent():
                book = self if self.is_begun else _replace(self, is_begun=True)
            case ev.SyncEvent():  # every execution was told: nothing is to come
                book = _replace(self, is_begun=True, unheard={})
            case ev.CloseRequestEvent():
                book = self.asked(event)
            case ev.OrderEvent():
                book = self.of_day(begins)._told(event, portfolio)  # noqa: SLF001 - of our own kind
            case _:
                book = self
        return book.following(portfolio)

    def following(self, portfolio: PortfolioState) -> StrategyBook:
        """Return the book with the ledgers as they are now; those without news stay as they are."""
        books, known = portfolio.books, self.ledgers
        if books is self.books:  # as after nearly every event
            return self
        news = {
            con_id: self._ledger(known.get(con_id), book)
            for con_id, book in books.items()
            if (before := known.get(con_id)) is None or before.book is not book
        }
        ledgers = {**known, **news}
        if len(ledgers) > len(books):
            ledgers = {con_id: one for con_id, one in ledgers.items() if con_id in books}
        return _replace(self, ledgers=ledgers, books=books)

    def forgetting(self, portfolio: PortfolioState) -> StrategyBook:
        """Return the book beside a portfolio that has let its past go: without the same past."""
        book = self.following(portfolio)
        ids = {*portfolio.orders, *portfolio.closed}
        ids |= {fill.order_id for fill in portfolio.fills.values()}
        refs = (parse_order_id(order_id) for order_id in ids)
        groups = {ref.group_id for ref in refs if ref is not None}
        groups |= {request.group_id for request in portfolio.closings.values()}
        return _replace(
            book,
            groups={group: name for group, name in book.groups.items() if group in groups},
            strangers=book.strangers & ids,
            unheard={key: con_id for key, con_id in book.unheard.items() if key in ids},
        )

    @property
    def kept(self) -> StrategyDays:
        """What a checkpoint keeps of it."""
        owners = {c: one.base_owner for c, one in self.ledgers.items() if one.base_owner}
        return StrategyDays(
            since=self.since,
            days=dict(self.days),
            groups=dict(self.groups),
            strangers=tuple(sorted(self.strangers)),
            bases=owners,
        )

    def _told(self, event: ev.OrderEvent, portfolio: PortfolioState) -> StrategyBook:
        book = self
        if isinstance(event, ev.NewOrderEvent):
            group = portfolio.groups.get(event.spec.group_id, ())
            book = self.named(event, is_first=group[:1] == (event.order_id,))
        order = portfolio.order(event.order_id)
        return book._heard(order)._counted(event, order)  # noqa: SLF001 - of our own kind

    def _heard(self, order: Order | None) -> StrategyBook:
        """Take note of an entry whose executions are still to come, or have come."""
        if order is None:
            return self
        is_missing = (
            order.reported_filled > order.filled
            and order.status.is_closed
            and not order.spec.role.is_protective
        )
        if is_missing == (order.order_id in self.unheard):
            return self
        rest = {key: con_id for key, con_id in self.unheard.items() if key != order.order_id}
        news = {order.order_id: order.spec.contract.con_id} if is_missing else {}
        return _replace(self, unheard={**rest, **news})

    def _counted(self, event: ev.OrderEvent, order: Order | None) -> StrategyBook:
        if not isinstance(event, message_count.COUNTED):
            return self
        name = self.maker(event.order_id)
        day = self.days.get(name) or StrategyDay(traffic=Traffic(since=self.since))
        fill = event.fill if isinstance(event, ev.FillEvent) else None
        is_first = fill is not None and order is not None and order.filled == fill.quantity
        count = message_count.after(day.traffic, event, day_start=self.since, is_first=is_first)
        if count is day.traffic:
            return self
        entries = day.entries + (isinstance(event, ev.NewOrderEvent) and opens(event))
        return _replace(self, days={**self.days, name: StrategyDay(traffic=count, entries=entries)})

    def _ledger(self, known: Ledger | None, book: Book) -> Ledger:
        base_owner = NOBODY if known is None else self._base_owner(known, book)
        if not base_owner and not self.groups:  # as at every desk that runs no strategy
            return Ledger(book)
        trip = None
        if known is not None and known.trip is not None:
            trip = trip_on(known.trip, known.book, book, maker=self.maker)
        if trip is None:
            begun = Trip(book.base.quantity, base_owner)
            trip = trip_over(begun, book.fills.values(), self.maker)
        return Ledger(book, base_owner, trip)

    def _base_owner(self, known: Ledger, book: Book) -> str:
        """Whose the beginning of a ledger is that was another one before."""
        before = known.book
        if book.base is before.base:
            return known.base_owner
        if not book.base.quantity:
            return NOBODY
        dropped = [fill for key, fill in before.fills.items() if key not in book.fills]
        if dropped:  # the day is over: what came before is its beginning
            begun = Trip(before.base.quantity, known.base_owner)
            return trip_over(begun, dropped, self.maker).owner
        if book.base.quantity == before.base.quantity:
            return known.base_owner
        # Restated by the broker: what was held is still whose it was, and what is new is nobody's.
        is_still = before.position.quantity * book.position.quantity > 0
        return known.owner if is_still else NOBODY


def belonging(contract: Contract, owner: str) -> str:
    """Return in words whose a contract is that is not free."""
    if owner:
        return f"{label(contract)} belongs to the strategy {owner}, until it is flat"
    return f"{label(contract)} belongs to no strategy, because somebody else has opened it"


def _restored(kept: StrategyDays, portfolio: PortfolioState) -> StrategyBook:
    book = StrategyBook(
        since=kept.since,
        days=kept.days,
        groups=kept.groups,
        strangers=frozenset(kept.strangers),
        is_begun=True,
    )
    known = {
        con_id: Ledger(one, kept.bases.get(con_id, NOBODY))
        for con_id, one in portfolio.books.items()
    }
    ledgers = {con_id: book._ledger(one, one.book) for con_id, one in known.items()}  # noqa: SLF001 - of this file
    return _replace(book, ledgers=ledgers, books=portfolio.books)


def _place(order: Order) -> tuple[datetime, OrderId]:
    return order.created_at or _NEVER, order.order_id
