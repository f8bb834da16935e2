"""The bus delivers by type, in order, and never drops anything in silence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ibkr_trader.core.errors import SlowConsumer
from ibkr_trader.core.events import (
    BaseEvent,
    CancelEvent,
    ErrorEvent,
    ExpireEvent,
    OrderEvent,
    SystemEvent,
)
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.bus import EventBus

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def cancelled(order_id: str) -> CancelEvent:
    return CancelEvent(at=AT, order_id=OrderId(order_id))


def test_a_subscriber_of_a_class_hears_its_subclasses_and_nobody_else() -> None:
    bus = EventBus()
    heard: list[BaseEvent] = []
    bus.subscribe(OrderEvent, heard.append)
    bus.publish(cancelled("a"))
    bus.publish(ErrorEvent(at=AT, code=1, message="x"))
    assert heard == [cancelled("a")]


def test_general_subscribers_come_first_whatever_the_order_of_subscription() -> None:
    bus = EventBus()
    heard: list[str] = []
    bus.subscribe(CancelEvent, lambda _: heard.append("leaf"))
    bus.subscribe(OrderEvent, lambda _: heard.append("order"))
    bus.subscribe(BaseEvent, lambda _: heard.append("any"))
    bus.publish(cancelled("a"))
    assert heard == ["any", "order", "leaf"]


def test_an_event_published_by_a_handler_waits_until_all_have_the_cause() -> None:
    bus = EventBus()
    heard: list[tuple[str, str]] = []

    def consequence(event: OrderEvent) -> None:
        bus.publish(ExpireEvent(at=AT, order_id=event.order_id))

    bus.subscribe(CancelEvent, consequence)
    bus.subscribe(BaseEvent, lambda event: heard.append(("first", type(event).__name__)))
    bus.subscribe(CancelEvent, lambda event: heard.append(("last", type(event).__name__)))
    bus.publish(cancelled("a"))
    assert heard == [("first", "CancelEvent"), ("last", "CancelEvent"), ("first", "ExpireEvent")]


def test_unsubscribed_means_not_called_and_twice_is_harmless() -> None:
    bus = EventBus()
    heard: list[BaseEvent] = []
    stop = bus.subscribe(BaseEvent, heard.append)
    bus.publish(cancelled("a"))
    stop()
    stop()
    bus.publish(cancelled("b"))
    assert heard == [cancelled("a")]


def test_a_handler_that_raises_stops_the_delivery_and_what_waited() -> None:
    bus = EventBus()
    heard: list[BaseEvent] = []

    def broken(event: BaseEvent) -> None:
        bus.publish(cancelled("later"))
        message = f"cannot project {event}"
        raise ValueError(message)

    stop = bus.subscribe(BaseEvent, broken)
    with pytest.raises(ValueError, match="cannot project"):
        bus.publish(cancelled("a"))
    stop()
    bus.subscribe(BaseEvent, heard.append)
    bus.publish(cancelled("b"))
    assert heard == [cancelled("b")]


async def test_what_a_handler_raised_is_told_to_whoever_waits_for_it() -> None:
    bus, error = EventBus(), ZeroDivisionError("cannot draw this")

    def broken(_: BaseEvent) -> None:
        raise error

    bus.subscribe(BaseEvent, broken)
    for _ in range(2):  # the first of them counts
        with pytest.raises(ZeroDivisionError):
            bus.publish(cancelled("a"))
    assert await bus.failure() is error


async def test_a_stream_yields_what_came_at_the_readers_pace() -> None:
    bus = EventBus()
    with bus.stream(OrderEvent, limit=10) as events:
        for name in "abc":
            bus.publish(cancelled(name))
        assert [(await anext(events)).order_id for _ in range(3)] == ["a", "b", "c"]


async def test_a_stream_says_so_when_its_reader_is_too_slow() -> None:
    bus = EventBus()
    with bus.stream(SystemEvent, limit=2) as events:
        for code in range(5):
            bus.publish(ErrorEvent(at=AT, code=code, message="x"))
        assert [(await anext(events)).at, (await anext(events)).at] == [AT, AT]
        with pytest.raises(SlowConsumer, match="more than 2 SystemEvents"):
            await anext(events)


async def test_a_stream_that_is_left_hears_no_more() -> None:
    bus = EventBus()
    with bus.stream(OrderEvent, limit=1):
        pass
    bus.publish(cancelled("a"))
    bus.publish(cancelled("b"))
