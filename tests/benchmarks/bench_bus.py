"""The event bus: what it costs to hand one event to five handlers, and how a storm drains."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import blinker
import eventkit

from ibkr_trader.core.events import BaseEvent, OrderEvent, PriceEvent
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.execution.bus import EventBus
from tests.benchmarks.harness import Goal, Sample, Table, timed, version

EVENTS = 2_000
STORM = 10_000
HANDLERS = 5
FULL = [EVENTS] * HANDLERS
AT = datetime(2026, 1, 5, 15, tzinfo=UTC)


class Counter:
    """A handler that does the least a handler can do."""

    def __init__(self) -> None:
        self.seen = 0

    def count(self, event: object) -> None:
        """Count one event: a bound method, as subscribers are."""
        self.seen += 1


def price() -> PriceEvent:
    """Return one event, made once: making it is another benchmark."""
    contract = Contract(symbol="AAPL")
    quote = Quote(contract=contract, at=AT, bid=Decimal("149.99"), ask=Decimal("150.01"))
    return PriceEvent(at=AT, contract=contract, quote=quote)


def counted(work: Callable[[], None], counters: list[Counter]) -> Sample:
    """Return a sample of `work`, which must have reached every handler with every event."""
    sample = timed(work, per=EVENTS)

    def checked() -> float:
        before = [counter.seen for counter in counters]
        seconds = sample()
        if [counter.seen - n for counter, n in zip(counters, before, strict=True)] != FULL:
            raise RuntimeError("an event did not reach its handlers")
        return seconds

    return checked


def loop(event: BaseEvent) -> Sample:
    """Return the limit: handlers known in advance, no types, no order of delivery."""
    counters = [Counter() for _ in range(HANDLERS)]
    handlers = [counter.count for counter in counters]

    def work() -> None:
        for _ in range(EVENTS):
            for handler in handlers:
                handler(event)

    return counted(work, counters)


def ours(event: BaseEvent) -> Sample:
    """Return our bus, with subscribers at both ends of the event's line of classes."""
    bus = EventBus()
    handlers = [Counter() for _ in range(HANDLERS)]
    for handler in handlers[:2]:
        bus.subscribe(BaseEvent, handler.count)
    for handler in handlers[2:]:
        bus.subscribe(type(event), handler.count)
    bus.subscribe(OrderEvent, Counter().count)  # not interested

    def work() -> None:
        for _ in range(EVENTS):
            bus.publish(event)

    return counted(work, handlers)


def by_eventkit(event: BaseEvent) -> Sample:
    """Return eventkit, with one Event a type, looked up by the type of what happened."""
    happened = {type(event): eventkit.Event("price"), OrderEvent: eventkit.Event("order")}
    handlers = [Counter() for _ in range(HANDLERS)]
    for handler in handlers:
        happened[type(event)].connect(handler.count, keep_ref=True)

    def work() -> None:
        for _ in range(EVENTS):
            happened[type(event)].emit(event)

    return counted(work, handlers)


def by_blinker(event: BaseEvent) -> Sample:
    """Return blinker, with one Signal a type."""
    happened = {type(event): blinker.Signal(), OrderEvent: blinker.Signal()}
    handlers = [Counter() for _ in range(HANDLERS)]
    for handler in handlers:
        happened[type(event)].connect(handler.count, weak=False)

    def work() -> None:
        for _ in range(EVENTS):
            happened[type(event)].send(event)

    return counted(work, handlers)


def storm_ours(event: BaseEvent) -> float:
    """Return how long after the first of a storm the last event has been handled."""
    bus = EventBus()
    for _ in range(HANDLERS):
        bus.subscribe(BaseEvent, Counter().count)

    async def blow() -> float:
        began = time.perf_counter()
        for _ in range(STORM):
            bus.publish(event)
        return time.perf_counter() - began

    return asyncio.run(blow())


def storm_eventkit(event: BaseEvent) -> float:
    """Return the same for eventkit with coroutines for handlers: a task each."""

    async def blow() -> float:
        happened = eventkit.Event("price")
        last, seen = asyncio.Event(), 0

        async def later(_: BaseEvent) -> None:
            nonlocal seen
            seen += 1
            if seen == STORM * HANDLERS:
                last.set()

        for _ in range(HANDLERS):
            happened.connect(later, keep_ref=True)
        began = time.perf_counter()
        for _ in range(STORM):
            happened.emit(event)
        await last.wait()
        return time.perf_counter() - began

    return asyncio.run(blow())


def tables() -> Iterator[Table]:
    """Measure a single event, then a storm."""
    event = price()
    yield Table(
        title=f"one event to {HANDLERS} synchronous handlers, routed by type",
        unit="ns",
        rows={
            "plain loop": loop(event),
            "ours": ours(event),
            "eventkit": by_eventkit(event),
            "blinker": by_blinker(event),
        },
        goals=(Goal("ours", 1.5, of="plain loop"), Goal("ours", 0.7, of="eventkit")),
        peers=(version("eventkit"), version("blinker")),
        notes=("a handler that raises stops our bus by design, so none raises here",),
    )
    yield Table(
        title=f"storm of {STORM:,} events to {HANDLERS} handlers: lag of the last",
        unit="ms",
        rows={
            "ours": lambda: storm_ours(event),
            "eventkit, async": lambda: storm_eventkit(event),
        },
        goals=(Goal("ours", 25.0), Goal("ours", 0.1, of="eventkit, async")),
        peers=(version("eventkit"),),
        rounds=7,
        warm_up=1,
    )
