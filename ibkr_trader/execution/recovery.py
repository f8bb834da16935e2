"""Bringing broker and journal into one picture: at the start, at every reconnect, in doubt.

Reads the journal back, asks the broker for everything, lets `reconcile` decide, and puts
the outcome on record. While an order is unaccounted for it looks again, a grace later.
Recovery cancels what must not trade half; it never sends an order.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable, JournalError
from ibkr_trader.core.ids import group_number, short_id
from ibkr_trader.execution.outlook import DAY
from ibkr_trader.execution.owed_cancels import Moment, OwedCancels
from ibkr_trader.orders.members import traded
from ibkr_trader.orders.wishes import RECOVERY
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.horizon import with_news_only
from ibkr_trader.portfolio.protection import last_lost
from ibkr_trader.portfolio.reconciliation import GRACE, reconcile
from ibkr_trader.portfolio.stop_outs import stopped_out
from ibkr_trader.risk.history import REMEMBERED_ORDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import FillId, GroupId, Order, OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.group_runner import GroupRunner
    from ibkr_trader.execution.intake import Intake
    from ibkr_trader.execution.outlook import Outlook
    from ibkr_trader.execution.ports import Broker, BrokerSnapshot, Clock, Journal
    from ibkr_trader.execution.record import Record
    from ibkr_trader.execution.router import OrderRouter
    from ibkr_trader.portfolio.state import PortfolioState

_SLACK = timedelta(milliseconds=200)
_EAGER = 6  # looks, a grace apart; from then on each waits twice as long as the one before
_RAREST = 4  # doublings: a look in 83 s
_RETRY = 2.0  # seconds between two attempts to get a whole snapshot


class Recovery:
    """Knows how far the picture can be trusted, and mends it."""

    def __init__(
        self,
        *,
        broker: Broker,
        journal: Journal,
        clock: Clock,
        record: Record,
        intake: Intake,
        outlook: Outlook,
        router: OrderRouter,
    ) -> None:
        self._broker = broker
        self._journal = journal
        self._clock = clock
        self._record = record
        self._intake = intake
        self._outlook = outlook
        self._router = router
        self._epoch = 0  # of the last snapshot
        self._link_epoch = 0  # of the last connection heard of
        self._sent_in: dict[OrderId, int] = {}
        self._just_sent: set[OrderId] = set()  # since the last snapshot was asked for
        self._just_changed: set[OrderId] = set()
        self._just_filled: set[FillId] = set()
        self._just_claimed: set[OrderId] = set()
        self._missed: dict[OrderId, float] = {}  # monotonic time of the first look in vain
        self._is_settled = asyncio.Event()
        self._looks = 0  # for what is unaccounted for, on the link that stands
        self._wake = asyncio.Event()
        self._renewed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self.trails: Callable[[], tuple[ev.TrailEvent, ...]] = tuple
        self.remembered: Callable[[datetime], Mapping[str, Any]] = lambda _: {}
        self._open_groups: Callable[[], Iterable[GroupId]] = tuple
        self._misled_groups: Callable[[], tuple[GroupId, ...]] = tuple
        self._asked: set[tuple[OrderId, int]] = set()  # cancels, by the epoch they went out in
        self._owed = OwedCancels()
        self._recalled: set[tuple[OrderId, int]] = set()  # what came alive, by the link it did on
        self._overtaken: asyncio.Queue[OrderId] = asyncio.Queue()

    def restore(self, groups: GroupRunner, bus: EventBus) -> list[ev.BaseEvent]:
        """Fold what the journal knows into the picture, and rebuild the open groups.

        Returns:
            The events it was made from, oldest first.

        Raises:
            JournalError: If a record is damaged.
        """
        history: list[Command | ev.BaseEvent] = list(self._journal.resume())
        events = [message for message in history if isinstance(message, ev.BaseEvent)]
        self._open_groups = lambda: groups.open_ids
        self._misled_groups = lambda: groups.blind
        self._outlook.replay(events)
        self._intake.remember(self._outlook.portfolio.fills.values())
        self._broker.on_record = self._is_on_record
        groups.restore(events)
        # From here on the outlook hears the bus; so do we.
        bus.subscribe(ev.NewOrderEvent, self._note_sent)
        bus.subscribe(ev.ConnectEvent, self._note_link)
        bus.subscribe(ev.CancelRejectEvent, self._note_doubt)
        bus.subscribe(ev.ModifyEvent, lambda event: self._just_changed.add(event.order_id))
        bus.subscribe(ev.FillEvent, lambda event: self._just_filled.add(event.fill.fill_id))
        bus.subscribe(ev.StatusEvent, self._note_claim)
        bus.subscribe(ev.DoneEvent, self._note_claim)
        bus.subscribe(ev.AcceptEvent, self._note_stranger)
        bus.subscribe(ev.OrderEvent, self._note_overtaken)
        self._owed.listen(bus, events, self._outlook.portfolio)
        return events

    async def start(self) -> None:
        """Take the first snapshot of this process.

        Raises:
            BrokerUnavailable: If the broker does not tell the whole truth.
        """
        await self.synchronize()

    async def synchronize(self) -> None:
        """Ask the broker for everything, and bring the picture to it.

        Raises:
            BrokerUnavailable: If it is not answered to the end; the picture is unchanged.
        """
        async with self._one_at_a_time:
            self._just_sent.clear()
            self._just_changed.clear()
            self._just_filled.clear()
            self._just_claimed.clear()
            snapshot = await self._broker.snapshot()
            await self._intake.drained()
            last_group = self._journal.state.last_group
            self._observe(snapshot)
            now = self._clock.monotonic()
            evidence = Evidence(
                last_group=last_group,
                install=self._journal.state.install,
                just_sent=frozenset(self._just_sent),
                just_changed=frozenset(self._just_changed),
                just_filled=frozenset(self._just_filled),
                just_claimed=frozenset(self._just_claimed),
                unwished=self._owed.unwished(self._outlook.portfolio),
                sent_in=self._sent_in,
                missed_for={o: timedelta(seconds=now - at) for o, at in self._missed.items()},
            )
            portfolio = self._outlook.portfolio
            news = with_news_only(snapshot, portfolio, now=self._outlook.exchange_now)
            outcome = reconcile(portfolio, news, evidence)
            self._note_missed(snapshot, outcome.unresolved, now)
            self._epoch = snapshot.epoch
            self._note_owed(outcome.cancels)
            self._intake.admit(outcome.events)
            owed = self._owed.due(self._outlook.portfolio, Moment(self._epoch, now))
            for order_id in dict.fromkeys((*outcome.cancels, *owed.asked)):
                await self._cancel(order_id)
            self._tell_lost(owed.dropped)
            if outcome.unresolved:
                self._is_settled.clear()
                self._wake.set()
            else:
                self._looks = 0
                self._is_settled.set()

    @property
    def is_settled(self) -> bool:
        """Whether every order is accounted for."""
        return self._is_settled.is_set()

    async def settled(self, *, timeout: float) -> None:
        """Wait until every order is accounted for, or `timeout` seconds have passed."""
        if self._is_settled.is_set():
            return
        try:
            async with asyncio.timeout(timeout):
                await self._is_settled.wait()
        except TimeoutError:
            return

    async def work(self) -> None:
        """Look again while an order is unaccounted for, and after every reconnect."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._is_settled.is_set():
                await self._wait_a_grace()
            asked_on = self._link_epoch
            try:
                if not self._is_settled.is_set() or self._link_epoch > self._epoch:
                    await self.synchronize()
            except BrokerUnavailable:
                await self._next_link(asked_on, within=_RETRY)
                self._wake.set()

    async def _wait_a_grace(self) -> None:
        """Wait until it is worth looking again, or (at once) until the link is a new one.

        What many looks have not settled another one will not, as where midnight took the proof:
        then they become rare.
        """
        self._looks += 1
        rarer = 1 << max(0, min(self._looks - _EAGER, _RAREST))
        await self._next_link(self._epoch, within=(GRACE + _SLACK).total_seconds() * rarer)

    async def _next_link(self, epoch: int, *, within: float) -> None:
        """Wait so many seconds, or until there is a later link than that of `epoch`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._link_epoch <= epoch:
                    self._renewed.clear()
                    await self._renewed.wait()

    async def recall(self) -> None:
        """Cancel again what came alive after its cancel was refused: it was not there yet."""
        while True:
            order_id = await self._overtaken.get()
            # Only now: the picture of before the wait does not know what came meanwhile.
            order = self._outlook.portfolio.order(order_id)
            if order is None or not order.is_unwanted:  # each word of it comes here
                continue
            # One that cannot leave stays unwanted: it is for the next link, not for the next word.
            if (order_id, self._link_epoch) not in self._recalled:
                self._recalled.add((order_id, self._link_epoch))
                await self._take_back(order)

    def checkpoint(self) -> None:
        """Mark a resting point in the journal, so that the next start reads little.

        A checkpoint that cannot be written costs time, not truth. What it leaves out is forgotten
        here, too.
        """
        now = self._clock.now()
        portfolio = self._outlook.recent
        history = self._outlook.history
        recent = tuple(
            ev.NewOrderEvent(at=sent.at, order_id=sent.spec.order_id, spec=sent.spec)
            for sent in history.submissions
            if now - sent.at <= REMEMBERED_ORDERS
        )
        # What came to nothing may be repeated at once, so it must be known that it did.
        in_vain = (sent.spec.group_id for sent in recent if _came_to_nothing(portfolio, sent))
        groups = (
            *self._open_groups(),
            *_being_closed(portfolio),
            *_once_protecting(portfolio),
            *_stopped_out(portfolio, since=now - DAY),
            *in_vain,
        )
        event = ev.CheckpointEvent(
            at=now,
            live=_kept(portfolio, groups),
            fills=tuple(portfolio.fills.values()),
            positions=tuple(portfolio.positions.values()),
            bases=tuple(b.base for b in portfolio.books.values() if b.base.quantity and b.fills),
            opened={con_id: b.opened for con_id, b in portfolio.books.items() if b.opened},
            synced_at=portfolio.synced_at,
            closings=tuple(portfolio.closings.values()),
            misled=self._misled_groups(),
            openings=history.openings,
            recent=recent,
            trails=self.trails(),
            cares=tuple(portfolio.cares.values()),
            **self._outlook.book.kept(),
            **self.remembered(now),
            strategy_days=self._outlook.strategies.kept(portfolio),
        )
        with contextlib.suppress(JournalError):
            self._record.write([event])
        self._intake.keep(portfolio)
        self._sent_in = {o: at for o, at in self._sent_in.items() if portfolio.order(o) is not None}

    def _note_missed(
        self, snapshot: BrokerSnapshot, unresolved: Iterable[OrderId], now: float
    ) -> None:
        self._missed = {
            order_id: self._missed.get(order_id, now)
            for order_id in unresolved
            if (order := self._outlook.portfolio.order(order_id)) is not None
            and snapshot.tells_absence(order, sent_in=self._sent_in.get(order_id, 0))
        }

    def _note_owed(self, cancels: Iterable[OrderId]) -> None:
        for order_id in cancels:
            order = self._outlook.portfolio.order(order_id)
            if order is not None:
                self._owed.add(order)

    def _tell_lost(self, cancels: Iterable[OrderId]) -> None:
        at = self._clock.now()
        for order_id in cancels:
            name = short_id(order_id)
            words = f"the cancel of {name} got lost, and it works on: ibkr-trader cancel {name}"
            self._record.witness([ev.ErrorEvent(at=at, code=0, message=words, is_serious=True)])

    async def _cancel(self, order_id: OrderId) -> None:
        order = self._outlook.portfolio.order(order_id)
        if order is not None and (order_id, self._epoch) not in self._asked:
            self._asked.add((order_id, self._epoch))
            await self._take_back(order)

    async def _take_back(self, order: Order) -> None:
        if order.status.is_closed:
            return
        command = CancelOrder(
            order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=RECOVERY
        )
        with contextlib.suppress(BrokerUnavailable):  # it is on record; the rest must go on
            await self._router.route(command)

    def _observe(self, snapshot: BrokerSnapshot) -> None:
        install = self._journal.state.install
        for order in (*snapshot.open_orders, *snapshot.completed_orders):
            self._journal.observe(group=group_number(order.order_id, install))
        for fill in snapshot.fills:
            self._journal.observe(group=group_number(fill.order_id, install))

    def _is_on_record(self, order_id: OrderId) -> bool:
        order = self._outlook.portfolio.order(order_id)
        return order is not None and not order.is_foreign

    def _note_sent(self, event: ev.NewOrderEvent) -> None:
        self._sent_in[event.order_id] = self._epoch
        self._just_sent.add(event.order_id)

    def _note_claim(self, event: ev.StatusEvent | ev.DoneEvent) -> None:
        order = self._outlook.portfolio.order(event.order_id)
        if order is not None and order.unheard:
            self._just_claimed.add(event.order_id)

    def _note_stranger(self, event: ev.AcceptEvent) -> None:
        if event.is_foreign:  # typed into TWS while we asked: the answer may lack it
            self._just_sent.add(event.order_id)

    def _note_overtaken(self, event: ev.OrderEvent) -> None:
        order = self._outlook.portfolio.order(event.order_id)
        if order is not None and order.is_unwanted and order.perm_id:
            self._overtaken.put_nowait(event.order_id)

    def _note_doubt(self, event: ev.CancelRejectEvent) -> None:
        order = self._outlook.portfolio.order(event.order_id)
        if order is not None and order.status is OrderStatus.UNKNOWN and self._is_settled.is_set():
            self._is_settled.clear()
            self._wake.set()

    def _note_link(self, event: ev.ConnectEvent) -> None:
        self._link_epoch = max(self._link_epoch, event.epoch)
        if self._epoch:  # the first snapshot of the process is taken by `start`
            self._looks = 0
            self._renewed.set()
            self._wake.set()


def _came_to_nothing(portfolio: PortfolioState, sent: ev.NewOrderEvent) -> bool:
    order = portfolio.order(sent.order_id)
    return order is not None and order.status.is_closed and not traded(order)


def _being_closed(portfolio: PortfolioState) -> tuple[GroupId, ...]:
    return tuple(request.group_id for request in portfolio.closings.values())


def _once_protecting(portfolio: PortfolioState) -> Iterable[GroupId]:
    """The groups whose stops are missed: whether somebody took them away must stay known."""
    lost = last_lost(portfolio.positions.values(), portfolio.closed.values())
    return (order.spec.group_id for order in lost.values())


def _stopped_out(portfolio: PortfolioState, *, since: datetime) -> Iterator[GroupId]:
    """The groups whose stops were hit at a loss: an execution alone does not say of what order.

    They are few: after some of them nothing more is opened.
    """
    for book in portfolio.books.values():
        for order_id in stopped_out(portfolio, book, since=since):
            order = portfolio.order(order_id)
            if order is not None:
                yield order.spec.group_id


def _kept(portfolio: PortfolioState, unfinished: Iterable[GroupId]) -> tuple[OrderId, ...]:
    """Every order of a group that is not over: its closed members are part of its story."""
    groups = {order.spec.group_id for order in portfolio.orders.values()} | set(unfinished)
    members = (order_id for group in groups for order_id in portfolio.groups.get(group, ()))
    return tuple(sorted({*portfolio.orders, *members}))
