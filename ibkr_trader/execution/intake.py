"""Have we seen this event? News from the broker, each piece once, onto the record.

The broker repeats itself: after a reconnect, on every status change, and when it corrects
an execution. Executions are told apart by family and revision: the newest revision wins,
whatever the order of arrival. Statuses that say nothing new are dropped. What is new is
written together, as much as has arrived, so that a burst costs one commit and not a
thousand.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import FillId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from ibkr_trader.core.models import Fill, OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.record import Record
    from ibkr_trader.portfolio.state import PortfolioState

_BREAKS_REPEAT = (ev.UnknownEvent, ev.NotSentEvent, ev.CancelRequestEvent, ev.ModifyEvent)
BATCH = 500  # events written in one commit at most


class Intake:
    """Drops what was seen before; passes on the rest, batched."""

    def __init__(
        self,
        record: Record,
        *,
        bus: EventBus,
        reach: Callable[[str], None] = lambda _: None,
        named: Callable[[ev.OrderEvent], ev.OrderEvent] = lambda event: event,
        is_past: Callable[[Fill], bool] = lambda _: False,
    ) -> None:
        """Write to `record`, in the order of arrival.

        Args:
            record: Where news goes.
            bus: Where our own steps are heard of.
            reach: Told of the places that a crash is tried at.
            named: Puts the name of now in the place of one that an order had when it was read: it
                may have been taken over since. What goes on record has only names of now.
            is_past: Whether an execution has long been in what is held: see `horizon`.
        """
        bus.subscribe(ev.OrderEvent, self._hear)
        self._named, self._is_past = named, is_past
        self._record = record
        self._reach = reach
        self._fills: dict[FillId, Fill] = {}
        self._passed_over: set[FillId] = set()
        self._commissions: set[FillId] = set()
        self._status: dict[OrderId, ev.OrderEvent] = {}
        self._arrived: list[ev.BaseEvent] = []
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def remember(self, fills: Iterable[Fill]) -> None:
        """Count `fills` as seen: they are in the journal already."""
        for fill in fills:
            self._fills[fill.fill_id] = fill
            if fill.commission is not None:
                self._commissions.add(fill.fill_id)

    def keep(self, portfolio: PortfolioState) -> None:
        """Forget what `portfolio` has let go of: a process may run for weeks.

        What executed before is news to nobody: see `horizon`.
        """
        self._passed_over.clear()
        self._fills = {key: fill for key, fill in self._fills.items() if key in portfolio.fills}
        awaited = portfolio.unclaimed_costs
        self._commissions = {
            key for key in self._commissions if key in portfolio.fills or key in awaited
        }
        self._status = {
            key: last for key, last in self._status.items() if portfolio.order(key) is not None
        }

    def admit(self, events: Sequence[ev.BaseEvent]) -> None:
        """Write down and publish what is new in `events`, in order."""
        fresh = [new for event in events if (new := self._fresh(event)) is not None]
        if fresh:
            self._reach("CP9")
            self._record.witness(fresh)
            self._reach("CP11")

    async def listen(self, source: AsyncIterator[ev.BaseEvent]) -> None:
        """Take events from `source` as they come, until it ends."""
        async for event in source:
            if not self._arrived:
                self._quiet.clear()
                self._wake.set()
            self._arrived.append(event)

    async def work(self) -> None:
        """Admit what has arrived, as many at a time as there are; never returns."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._arrived:
                batch, self._arrived = self._arrived[:BATCH], self._arrived[BATCH:]
                self.admit(batch)
                await asyncio.sleep(0)
            self._quiet.set()

    async def drained(self) -> None:
        """Wait until everything that has arrived is admitted."""
        await self._quiet.wait()

    def _fresh(self, event: ev.BaseEvent) -> ev.BaseEvent | None:
        if isinstance(event, ev.OrderEvent):
            event = self._named(event)
        match event:
            case ev.FillEvent():
                return self._fresh_fill(event)
            case ev.CommissionEvent():
                if event.fill_id in self._commissions or event.fill_id in self._passed_over:
                    return None
                self._commissions.add(FillId(event.fill_id))
                return event
            case ev.StatusEvent() | ev.AcceptEvent() | ev.DoneEvent() | ev.CancelEvent():
                return self._fresh_status(event)
            case ev.WarningEvent():
                return event
            case ev.OrderEvent():
                self._status.pop(event.order_id, None)  # whatever status follows it is news
                return event
            case _:
                return event

    def _hear(self, event: ev.OrderEvent) -> None:
        """Take note of what was not admitted here, our own steps: they break a repeat too."""
        if isinstance(event, _BREAKS_REPEAT):
            self._status.pop(event.order_id, None)

    def _fresh_fill(self, event: ev.FillEvent) -> ev.BaseEvent | None:
        seen = self._fills.get(event.fill.fill_id)
        if seen is not None and event.fill.revision <= seen.revision:
            return None
        if seen is None and self._is_past(event.fill):
            self._passed_over.add(event.fill.fill_id)
            return _passed_over(event)
        self._fills[event.fill.fill_id] = event.fill
        return event if seen is None else msgspec.structs.replace(event, replaces=seen)

    def _fresh_status(self, event: ev.OrderEvent) -> ev.OrderEvent | None:
        # Only an unbroken repeat is dropped: A, B, A tells of a change and back, and so does A
        # after a refusal or a doubt of any kind (`_fresh` and `_hear` forget A then).
        last = self._status.get(event.order_id)
        if last is not None and last == msgspec.structs.replace(event, at=last.at):
            return None
        self._status[event.order_id] = event
        return event


def _passed_over(event: ev.FillEvent) -> ev.ErrorEvent:
    """What is told in the place of an execution that must not count: a correction, most likely.

    What it changes shows as a position that differs, within minutes.
    """
    made = event.fill.at
    words = (
        f"execution {event.fill.fill_id} of {made:%Y-%m-%d %H:%M} UTC was told again, of "
        f"{event.order_id}: it has long been in what is held, and does not count once more"
    )
    return ev.ErrorEvent(at=event.at, code=0, message=words, is_serious=True)
