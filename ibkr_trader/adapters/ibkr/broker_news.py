"""The broker's side of the inbox: messages become events, and rows of a snapshot.

While a snapshot is taken, orders that nobody knew go into it alone, for recovery to adopt;
what concerns known orders, and every execution that happens, is news as always.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.account_figures import AccountFigures
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.adapters.ibkr.order_news import OrderNews, family_of
from ibkr_trader.adapters.ibkr.receiver import VITAL
from ibkr_trader.adapters.ibkr.snapshot import Collection
from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
    from ibkr_trader.adapters.ibkr.roster import Entry, Roster
    from ibkr_trader.core.models import AccountValues


class BrokerNews:
    """Listens on the connection for everything that is not market data."""

    def __init__(self, connection: IBKRConnection, roster: Roster) -> None:
        self._connection = connection
        self._roster = roster
        self._news = OrderNews(roster, now=connection.clock.now)
        self._figures = AccountFigures()
        self._collection: Collection | None = None
        inbox = connection.inbox
        inbox.on(m.OpenOrder, self._open_order)
        inbox.on(m.CompletedOrder, self._completed_order)
        inbox.on(m.StatusReport, self._status)
        inbox.on(m.Execution, self._execution)
        inbox.on(m.Commission, self._commission)
        inbox.on(m.PositionReport, self._position)
        inbox.on(m.AccountValue, self._account_value)
        inbox.on(m.AccountTime, lambda _: self._account())
        inbox.on(m.DecodeFailure, self._failure)
        inbox.on(m.SubscriptionsLost, lambda _: roster.forget_pending())
        inbox.claim_errors(self._error)

    @property
    def values(self) -> AccountValues:
        """The account as last stated."""
        return self._figures.values(self._connection.account)

    @contextmanager
    def collecting(self) -> Iterator[Collection]:
        """Gather what comes into a snapshot, until the block ends."""
        self._collection = Collection(self._roster, self._connection.account)
        try:
            yield self._collection
        finally:
            self._collection = None

    def publish(self, events: Iterable[ev.BaseEvent]) -> None:
        """Let `events` go out, in order."""
        for event in events:
            self._connection.news.publish(event)

    def _open_order(self, message: m.OpenOrder) -> None:
        report = message.report
        entry = self._find(report)
        before = entry.spec if entry is not None and entry.is_acked else None
        events = list(self._news.open_order(report))
        entry = self._find(report)
        if entry is None:
            return
        if self._collection is not None:
            self._collection.add_order(entry, report)
            if not entry.is_announced or entry.spec == before:
                return
        entry.is_announced = entry.is_announced or bool(events)
        self.publish(events)

    def _status(self, report: m.StatusReport) -> None:
        entry = self._find(report)
        if entry is None:
            return  # its terms will come, and name it
        is_repeat, entry.last_status = report == entry.last_status, report
        events = list(self._news.status(entry, report))
        if self._collection is not None:
            self._collection.add_order(entry, report)
            if not entry.is_announced or is_repeat:
                return
        self.publish(events)

    def _find(self, report: m.OrderReport | m.StatusReport) -> Entry | None:
        return self._roster.find(report.client_id, report.order_id, perm_id=report.perm_id)

    def _completed_order(self, message: m.CompletedOrder) -> None:
        if self._collection is not None:
            self._collection.add_completed(message.report)

    def _execution(self, execution: m.Execution) -> None:
        if execution.account != self._connection.account:
            return
        fill = self._news.fill(execution)
        is_live = execution.request_id < 0
        if self._collection is not None:
            self._collection.add_fill(fill)
            if is_live:
                self._collection.live.add(fill.fill_id)
                self._collection.is_disturbed = True
        if is_live:
            self.publish(self._news.filled(fill))

    def _commission(self, report: m.Commission) -> None:
        fill_id, _ = family_of(report.exec_id)
        if self._collection is not None and fill_id in self._collection.fills:
            self._collection.add_commission(fill_id, report)
            if fill_id not in self._collection.live:
                return
        self.publish(self._news.commission(report))

    def _position(self, report: m.PositionReport) -> None:
        if self._collection is not None:
            self._collection.add_position(report)
        # A snapshot may never be whole: what the broker says meanwhile must not wait for it.
        if report.account == self._connection.account:
            at = self._connection.clock.now()
            position = Position(
                account=report.account,
                contract=report.contract,
                quantity=report.quantity,
                average_cost=report.average_cost,
                updated_at=at,
            )
            self.publish([ev.PositionReportEvent(at=at, position=position)])

    def _account_value(self, row: m.AccountValue) -> None:
        if row.account == self._connection.account:
            self._figures.take(row)

    def _account(self) -> None:
        at = self._connection.clock.now()
        self.publish([ev.AccountEvent(at=at, values=self.values)])

    def _failure(self, failure: m.DecodeFailure) -> None:
        if self._collection is not None and failure.message_id in VITAL:
            self._collection.failure = (
                f"message {failure.message_id} of it could not be read: {failure.reason}"
            )

    def _error(self, error: m.ErrorReport) -> bool:
        entry = self._roster.find(self._connection.settings.client_id, error.request_id)
        if entry is None:
            return False
        rule, ended_changing = rule_for(error.code), entry.ended_changing
        self.publish(self._news.error(entry, error))
        # Nobody knows which numbers are free; but to a change that came too late TWS says so, too.
        is_taken = rule.kind is Kind.DUPLICATE_ID and not ended_changing
        if is_taken or rule.kind in {Kind.PACING, Kind.CONFIG}:
            at = self._connection.clock.now()
            text = f"{entry.order_id}: {error.text} ({rule.meaning})"
            trouble = ev.ErrorEvent(
                at=at, code=error.code, message=text, is_serious=True, needs_look=is_taken
            )
            self.publish([trouble])
        if is_taken:
            frame = self._connection.encode(lambda api: api.reqIds(1))
            self._connection.put(Parcel(Lane.ASK, (frame,)))
        return True
