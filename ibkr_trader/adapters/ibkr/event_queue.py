"""The way out for events: bounded, order news before prices, prices conflated.

Facts are never dropped. When more wait than the limit, the socket is paused, and TCP
holds the gateway back. Of prices, and of the day's volume, only the newest of each contract
waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from ibkr_trader.core.events import PriceEvent, VolumeEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ibkr_trader.core.events import BaseEvent

LIMIT = 20_000
_CONFLATED = (PriceEvent, VolumeEvent)


class EventQueue:
    """Holds what has happened until the one reader takes it."""

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit = limit
        self._facts: deque[BaseEvent] = deque()
        self._prices: dict[tuple[type, int], PriceEvent | VolumeEvent] = {}
        self._wake = asyncio.Event()
        self._is_closed = False
        self.on_full: Callable[[], None] = lambda: None
        self.on_drained: Callable[[], None] = lambda: None

    def publish(self, event: BaseEvent) -> None:
        """Let `event` wait for the reader."""
        if isinstance(event, _CONFLATED):
            self._prices[type(event), event.contract.con_id] = event
        else:
            self._facts.append(event)
            if len(self._facts) == self._limit:
                self.on_full()
        self._wake.set()

    def close(self) -> None:
        """End the stream once everything has been taken."""
        self._is_closed = True
        self._wake.set()

    async def stream(self) -> AsyncIterator[BaseEvent]:
        """Yield events in order of arrival, facts first, until the queue is closed."""
        while True:
            while self._facts:
                event = self._facts.popleft()
                if len(self._facts) == self._limit // 2:
                    self.on_drained()
                yield event
            if self._prices:
                yield self._prices.pop(next(iter(self._prices)))
                continue
            if self._is_closed:
                return
            self._wake.clear()
            await self._wake.wait()
