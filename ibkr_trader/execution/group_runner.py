"""Feeds order events to the groups they concern, and their commands to the router.

A group decides, purely; this runs it. Reactions are computed while the event is being
delivered, so a group sees every event in order; its commands wait in a queue, because
the order path must not run inside a delivery.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.errors import BrokerUnavailable, JournalError
from ibkr_trader.core.events import (
    DenyEvent,
    GroupEvent,
    MarketEvent,
    NewOrderEvent,
    OrderEvent,
    TimeEvent,
)
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import GroupId, OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.execution.record import Record
    from ibkr_trader.execution.router import OrderRouter
    from ibkr_trader.orders.group import OrderGroup, Step
    from ibkr_trader.portfolio.state import PortfolioState
HEARTBEAT = 1.0  # seconds: no finer than the grace that groups give the broker


class GroupRunner:
    """Holds the open groups of this process."""

    def __init__(
        self,
        *,
        bus: EventBus,
        record: Record,
        router: OrderRouter,
        clock: Clock,
        portfolio: Callable[[], PortfolioState],
    ) -> None:
        self._record = record
        self._router = router
        self._clock = clock
        self._portfolio = portfolio
        self._groups: dict[GroupId, OrderGroup] = {}
        self._by_order: dict[OrderId, GroupId] = {}
        self._commands: asyncio.Queue[tuple[GroupId, Command]] = asyncio.Queue()
        bus.subscribe(OrderEvent, self._react)
        bus.subscribe(MarketEvent, self._tick)

    def add(self, group: OrderGroup, orders: Iterable[OrderId]) -> None:
        """Look after `group` from now on; events of `orders` are its business."""
        self._groups[group.group_id] = group
        for order_id in orders:
            self._by_order[order_id] = group.group_id

    def get(self, group_id: GroupId) -> OrderGroup | None:
        """Return the group as it now stands, or None once it is closed and forgotten."""
        return self._groups.get(group_id)

    def open_ids(self) -> tuple[GroupId, ...]:
        """Return the groups that are not over, though all their orders may be."""
        return tuple(self._groups)

    def restore(self, history: Iterable[BaseEvent]) -> None:
        """Rebuild the open groups from their order events; what they once asked for is done.

        Commands are dropped: they were sent then, or the broker is asked again by recovery.
        """
        opened: dict[GroupId, list[NewOrderEvent]] = {}
        events = [event for event in history if isinstance(event, OrderEvent)]
        for event in events:
            if isinstance(event, NewOrderEvent):
                opened.setdefault(event.spec.group_id, []).append(event)
        for opened_id, news in opened.items():
            if news[0].kind in ORDER_TYPES:
                specs = tuple(event.spec for event in news)
                group = ORDER_TYPES[news[0].kind](opened_id, specs, news[0].plan)
                self.add(group, (spec.order_id for spec in specs))
        for event in events:
            group_id = self._by_order.get(event.order_id)
            if group_id is not None:
                self._step(group_id, event)

    async def work(self) -> None:
        """Route what groups ask for, one command after the other; never returns."""
        while True:
            group_id, command = await self._commands.get()
            try:
                await self._carry_out(group_id, command)
            finally:
                self._commands.task_done()

    async def watch(self) -> None:
        """Let time pass for the groups, so that what is overdue is asked for; never returns."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            event = TimeEvent(at=self._clock.now())
            for group_id in tuple(self._groups):
                self._run(group_id, event)

    async def idle(self) -> None:
        """Wait until everything that groups have asked for is routed."""
        await self._commands.join()

    async def _carry_out(self, group_id: GroupId, command: Command) -> None:
        if self._is_needless(command):
            return
        try:
            verdict = await self._router.route(command)
        except (BrokerUnavailable, JournalError) as error:
            self._tell(group_id, f"could not {_name(command)}: {error.message}")
            return
        if isinstance(verdict, Denied):
            reasons = "; ".join(breach.message for breach in verdict.breaches)
            self._tell(group_id, f"was denied to {_name(command)}: {reasons}")

    def _is_needless(self, command: Command) -> bool:
        """Whether the broker was faster: the order to cancel or change has ended."""
        if isinstance(command, SubmitOrders):
            return False
        order = self._portfolio().order(command.order_id)
        return order is not None and order.status.is_closed

    def _react(self, event: OrderEvent) -> None:
        spec = event.spec if isinstance(event, NewOrderEvent | DenyEvent) else None
        if spec is not None and spec.group_id in self._groups:
            self._by_order[event.order_id] = spec.group_id  # one that replaces another
        group_id = self._by_order.get(event.order_id)
        if group_id is not None:
            self._run(group_id, event)

    def _tick(self, event: MarketEvent) -> None:
        # A price changes no group, but time passes with it, and something may be overdue.
        for group_id in tuple(self._groups):
            self._run(group_id, event)

    def _run(self, group_id: GroupId, event: BaseEvent) -> None:
        step = self._step(group_id, event)
        if step is None:
            return
        for command in step.commands:
            self._commands.put_nowait((group_id, command))
        if step.events:
            self._record.witness(step.events)

    def _step(self, group_id: GroupId, event: BaseEvent) -> Step | None:
        group = self._groups.get(group_id)
        if group is None:
            return None
        step = group.react(event)
        if step.group.is_closed:
            del self._groups[group_id]
            self._by_order = {o: g for o, g in self._by_order.items() if g != group_id}
        else:
            self._groups[group_id] = step.group
        return step

    def _tell(self, group_id: GroupId, message: str) -> None:
        now: datetime = self._clock.now()
        event = GroupEvent(at=now, group_id=group_id, message=message, is_serious=True)
        self._record.witness([event])


def _name(command: Command) -> str:
    return type(command).__name__
