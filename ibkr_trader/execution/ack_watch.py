"""Notices orders, changes and cancels that nobody answered in time, and has them looked up.

Silence is no answer. After the timeout the broker is asked what it has; an order that this
does not settle is UNKNOWN, counts at its worst, and is never sent again. Of a change the
answer is the terms that the broker then states, whichever they are; of a cancel, whether the order
still works there: who wanted it gone then asks again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.events import CancelRequestEvent, ModifyEvent, NewOrderEvent, UnknownEvent
from ibkr_trader.orders.wishes import BROKER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.bus import EventBus
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.execution.record import Record
    from ibkr_trader.portfolio.state import PortfolioState

_UNANSWERED = (OrderStatus.PENDING, OrderStatus.PENDING_MODIFY, OrderStatus.PENDING_CANCEL)


class AckWatch:
    """Keeps a deadline for all that was sent about orders and is not yet answered."""

    def __init__(
        self,
        *,
        bus: EventBus,
        record: Record,
        clock: Clock,
        portfolio: Callable[[], PortfolioState],
        look_up: Callable[[], Awaitable[object]],
        timeout: float,
    ) -> None:
        self._record = record
        self._clock = clock
        self._portfolio = portfolio
        self._look_up = look_up
        self._timeout = timeout
        self._due: dict[OrderId, float] = {}
        self._changed = asyncio.Event()
        bus.subscribe(NewOrderEvent, self._expect)
        bus.subscribe(ModifyEvent, self._expect)
        bus.subscribe(CancelRequestEvent, self._expect_an_end)

    async def work(self) -> None:
        """Look up what is overdue, as it falls due; never returns."""
        while True:
            await self._wait()
            now = self._clock.monotonic()
            overdue = [order_id for order_id, due in self._due.items() if due <= now]
            for order_id in overdue:
                del self._due[order_id]
            if any(self._is_unanswered(order_id) for order_id in overdue):
                await self._settle(overdue)

    def _expect_an_end(self, event: CancelRequestEvent) -> None:
        if event.origin != BROKER:  # that one is an answer
            self._expect(event)

    def _expect(self, event: NewOrderEvent | ModifyEvent | CancelRequestEvent) -> None:
        self._due[event.order_id] = self._clock.monotonic() + self._timeout
        self._changed.set()

    async def _wait(self) -> None:
        self._changed.clear()
        delay = None
        if self._due:
            delay = max(0.0, min(self._due.values()) - self._clock.monotonic())
        try:
            async with asyncio.timeout(delay):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _settle(self, overdue: list[OrderId]) -> None:
        try:
            await self._look_up()
        except BrokerUnavailable as error:
            reason = f"no answer in {self._timeout:g} s, and the look-up failed: {error.message}"
        else:
            reason = f"no answer in {self._timeout:g} s"
        lost = [
            UnknownEvent(at=self._clock.now(), order_id=order_id, reason=reason)
            for order_id in overdue
            if self._stands(order_id, OrderStatus.PENDING)
        ]
        if lost:
            self._record.witness(lost)

    def _is_unanswered(self, order_id: OrderId) -> bool:
        return self._stands(order_id, *_UNANSWERED)

    def _stands(self, order_id: OrderId, *statuses: OrderStatus) -> bool:
        order = self._portfolio().order(order_id)
        return order is not None and order.status in statuses
