"""The picture of the account: orders, positions and money, folded from events.

`PortfolioState.apply(event)` returns the next picture; nothing here is ever changed in
place. Live and past orders are kept apart, so that the cost of a review does not grow
with the day's history.

Each execution counts exactly once, in its latest revision, whatever was repeated,
reordered or corrected, and whether or not anybody knows the order. Positions move by
executions only: what the broker reports of a position confirms the ledger or is drift.
News that no order could have had is drift too; only a step of our own that is illegal
raises, because it is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import AccountValues, Fill, FillId, GroupId, Order, OrderId, Position
from ibkr_trader.portfolio import caring, ledger_fold, order_fold
from ibkr_trader.portfolio.finding import find_orders
from ibkr_trader.portfolio.growing import GrowingMap
from ibkr_trader.portfolio.horizon import reach
from ibkr_trader.portfolio.ledger_fold import Close
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.portfolio.protection import last_lost

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The connection, as far as proofs of absence need it.

    Attributes:
        epoch: Counts connections.
        is_up: Whether it stands.
        connected_at: When it came up last.
        lost_at: When the one before it was noticed to be down; None if nobody noticed.
    """

    epoch: int = 0
    is_up: bool = False
    connected_at: datetime | None = None
    lost_at: datetime | None = None

    def after(self, event: ev.ConnectEvent | ev.DisconnectEvent) -> Link:
        """Return the link as `event` leaves it."""
        if isinstance(event, ev.DisconnectEvent):
            return msgspec.structs.replace(self, is_up=False, lost_at=event.at)
        lost_at = None if self.is_up else self.lost_at
        return Link(epoch=event.epoch, is_up=True, connected_at=event.at, lost_at=lost_at)


class PortfolioState(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one moment.

    Attributes:
        orders: What can still trade, in flight and unknown included.
        closed: The day's orders that no longer can.
        unheard: Of both, those that the broker calls filled for more than anything has told.
        positions: What is held, by con_id, signed; what is flat is absent.
        books: The ledgers behind `positions`, flat ones included.
        fills: The day's executions, latest revisions, those of foreign orders too.
        values: What the broker states of the account.
        renamed: What orders that were taken over are called now, by what they were called before.
        groups: The orders of each group, in order of appearance.
        children: The orders that hang from a parent.
        marks: The last price of each contract, by con_id.
        closes: The close of the session before, likewise, where somebody has said it, and when.
        drift: Where broker and ledger still disagree, by subject.
        reported: The broker's last word on positions, by con_id.
        has_synced: Whether positions begin at what the broker or a checkpoint has stated,
            so that a report that differs means something.
        synced_at: When the broker told everything last, as far as that is on record.
        unclaimed: News of orders whose terms nobody has stated yet.
        unclaimed_costs: Commissions of executions that have not arrived yet.
        link: The connection to the broker.
        closings: What is being ended for good, by con_id: nothing else may act on it meanwhile.
        cares: Which positions a person has handed to the desk, or taken from it, by con_id.
    """

    orders: Mapping[OrderId, Order] = MappingProxyType({})
    closed: GrowingMap[OrderId, Order] = GrowingMap()
    unheard: Mapping[OrderId, Order] = MappingProxyType({})
    renamed: Mapping[OrderId, OrderId] = MappingProxyType({})
    positions: Mapping[int, Position] = MappingProxyType({})
    books: Mapping[int, Book] = MappingProxyType({})
    fills: GrowingMap[FillId, Fill] = GrowingMap()
    values: AccountValues | None = None
    groups: GrowingMap[GroupId, tuple[OrderId, ...]] = GrowingMap()
    children: GrowingMap[OrderId, tuple[OrderId, ...]] = GrowingMap()
    marks: Mapping[int, Decimal] = MappingProxyType({})
    closes: Mapping[int, Close] = MappingProxyType({})
    drift: Mapping[str, ev.DriftEvent] = MappingProxyType({})
    reported: Mapping[int, Decimal] = MappingProxyType({})
    has_synced: bool = False
    synced_at: datetime | None = None
    unclaimed: Mapping[OrderId, tuple[ev.OrderEvent, ...]] = MappingProxyType({})
    unclaimed_costs: Mapping[FillId, ev.CommissionEvent] = MappingProxyType({})
    link: Link = Link()
    closings: Mapping[int, ev.CloseRequestEvent] = MappingProxyType({})
    cares: Mapping[int, ev.CareEvent] = MappingProxyType({})

    def apply(self, event: ev.BaseEvent) -> PortfolioState:
        """Return the picture after `event`; the same object if nothing changed.

        Raises:
            InvariantBroken: If the event is a step of our own that is illegal.
        """
        if isinstance(event, ev.OrderEvent):
            state = order_fold.follow(self, event)
        else:
            follow = _FOLLOW.get(type(event))
            state = self if follow is None else follow(self, event)
        return caring.while_held(state) if state.cares else state

    def order(self, order_id: OrderId) -> Order | None:
        """Return an order, live or past, or None if nobody knows it."""
        return self.orders.get(order_id) or self.closed.get(order_id)

    def find(self, text: str) -> tuple[OrderId, ...]:
        """Return the orders that a person may mean by `text`; see `finding.find_orders`."""
        return find_orders(text, self.orders.values(), self.closed.values())

    def begin_day(self, moment: datetime) -> PortfolioState:
        """Return the picture without the past before `moment`: closed orders, counted fills.

        The stop that a position has lost last stays known: see `last_lost`. So do the executions
        that the broker may tell again: see `horizon`.
        """
        told = reach(self.synced_at, moment)
        lost = last_lost(self.positions.values(), self.closed.values())
        closed = self.closed.only(
            lambda o: o.updated_at is None or o.updated_at >= moment or o.order_id in lost
        )
        known = self.orders.keys() | closed.keys()
        books = {con_id: book.since(told) for con_id, book in self.books.items()}
        state = msgspec.structs.replace(
            self,
            closed=closed,
            unheard={key: order for key, order in self.unheard.items() if key in known},
            renamed={was: name for was, name in self.renamed.items() if name in known},
            fills=self.fills.only(lambda fill: fill.at >= told),
            unclaimed={key: news for key, news in self.unclaimed.items() if news[-1].at >= moment},
            unclaimed_costs={
                key: cost for key, cost in self.unclaimed_costs.items() if cost.at >= moment
            },
            groups=self.groups.only(lambda members: not known.isdisjoint(members)),
            children=self.children.only(lambda members: not known.isdisjoint(members)),
        )
        return ledger_fold.with_books(
            state, {con_id: b for con_id, b in books.items() if b.fills or b.position.quantity}
        )


_FOLLOW: Mapping[type[ev.BaseEvent], Callable[[PortfolioState, Any], PortfolioState]] = {
    ev.PriceEvent: lambda state, event: ledger_fold.priced(
        state, event.contract.con_id, event.quote, at=event.at
    ),
    ev.BarEvent: lambda state, event: ledger_fold.mark(
        state, event.contract.con_id, event.bar.close
    ),
    ev.PositionReportEvent: ledger_fold.report,
    ev.AccountEvent: lambda state, event: msgspec.structs.replace(state, values=event.values),
    ev.CheckpointEvent: lambda state, event: msgspec.structs.replace(
        ledger_fold.resume(state, event),
        synced_at=event.synced_at or state.synced_at,
        closings={one.contract.con_id: one for one in event.closings},
        cares={one.contract.con_id: one for one in event.cares},
    ),
    ev.CareEvent: caring.cared,
    ev.CloseRequestEvent: lambda state, event: msgspec.structs.replace(
        state, closings={**state.closings, event.contract.con_id: event}
    ),
    ev.CloseEndEvent: lambda state, event: msgspec.structs.replace(
        state,
        closings={c: one for c, one in state.closings.items() if one.group_id != event.group_id},
    ),
    ev.SyncEvent: lambda state, event: order_fold.settled(
        ledger_fold.synchronized(state, event), event
    ),
    ev.ConnectEvent: lambda state, event: msgspec.structs.replace(
        state, link=state.link.after(event)
    ),
    ev.DisconnectEvent: lambda state, event: msgspec.structs.replace(
        state, link=state.link.after(event)
    ),
}


def fold(
    messages: Iterable[Command | ev.BaseEvent], start: PortfolioState | None = None
) -> PortfolioState:
    """Return the picture that a journal's messages lead to; commands change nothing.

    Raises:
        InvariantBroken: If the journal holds a step of ours that was never legal.
    """
    state = start if start is not None else PortfolioState()
    for message in messages:
        if isinstance(message, ev.BaseEvent):
            state = state.apply(message)
    return state
