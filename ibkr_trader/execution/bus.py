"""The event bus: every event to every subscriber of its type, one event at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ibkr_trader.core.errors import SlowConsumer
from ibkr_trader.core.events import BaseEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

E = TypeVar("E", bound=BaseEvent)


class EventBus:
    """Deliver each event to every subscriber of its type, one event at a time.

    Subscribing to a class subscribes to its subclasses. Handlers run from the most
    general type to the most specific, then in order of subscription, so the journal
    (subscribed to `BaseEvent`) has every event before anyone acts on it.
    """

    def __init__(self) -> None:
        self._handlers: dict[type[BaseEvent], list[Callable[[Any], None]]] = {}
        self._routes: dict[type[BaseEvent], tuple[Callable[[Any], None], ...]] = {}
        self._waiting: deque[BaseEvent] = deque()
        self._is_delivering = False
        self._failures: asyncio.Queue[Exception] = asyncio.Queue(maxsize=1)

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Call `handler` with each event of `kind`; return the function that stops it.

        Handlers are synchronous and must not block. One that raises is a bug in a
        projection and stops the trader: a wrong picture is worse than none.
        """
        self._handlers.setdefault(kind, []).append(handler)
        self._routes.clear()

        def unsubscribe() -> None:
            handlers = self._handlers.get(kind, [])
            if handler in handlers:
                handlers.remove(handler)
                self._routes.clear()

        return unsubscribe

    def publish(self, event: BaseEvent) -> None:
        """Deliver `event` now, or next if a delivery is under way.

        An event published by a handler waits its turn: every subscriber sees the cause
        before the consequence, and a replay sees the same order.
        """
        if self._is_delivering:
            self._waiting.append(event)
            return
        self._is_delivering = True
        try:
            # Inlined, as is the loop below: a call more would cost a quarter of a delivery.
            for handler in self._routes.get(type(event)) or self._route(type(event)):
                handler(event)
            while self._waiting:
                event = self._waiting.popleft()
                for handler in self._routes.get(type(event)) or self._route(type(event)):
                    handler(event)
        except Exception as error:
            if self._failures.empty():
                self._failures.put_nowait(error)
            raise
        finally:
            self._is_delivering = False
            self._waiting.clear()

    async def failure(self) -> Exception:
        """Wait until a handler has raised, and return what: the picture is wrong from then on."""
        return await self._failures.get()

    def _route(self, kind: type[BaseEvent]) -> tuple[Callable[[Any], None], ...]:
        handlers = self._routes[kind] = tuple(
            handler for base in reversed(kind.__mro__) for handler in self._handlers.get(base, ())
        )
        return handlers

    @contextmanager
    def stream(self, kind: type[E], *, limit: int) -> Iterator[AsyncIterator[E]]:
        """Subscribe at the consumer's own pace, for whatever must await.

        Raises:
            SlowConsumer: In the consumer, once more than `limit` events wait. The
                publisher is never delayed, nothing is dropped in silence.
        """
        queue: asyncio.Queue[E | None] = asyncio.Queue()

        def keep(event: E) -> None:
            if queue.qsize() <= limit:
                queue.put_nowait(event if queue.qsize() < limit else None)

        unsubscribe = self.subscribe(kind, keep)

        async def events() -> AsyncIterator[E]:
            while True:
                event = await queue.get()
                if event is None:
                    message = f"more than {limit} {kind.__name__}s wait for one consumer"
                    raise SlowConsumer(message)
                yield event

        try:
            yield events()
        finally:
            unsubscribe()
