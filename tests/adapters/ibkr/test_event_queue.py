from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

from ibkr_trader.adapters.ibkr.event_queue import EventQueue
from ibkr_trader.core.events import BaseEvent, ErrorEvent, PriceEvent, VolumeEvent
from ibkr_trader.core.models import Contract, Quote

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def price(con_id: int, bid: int) -> PriceEvent:
    contract = Contract(symbol=f"S{con_id}", con_id=con_id)
    return PriceEvent(
        at=AT, contract=contract, quote=Quote(contract=contract, at=AT, bid=Decimal(bid))
    )


def volume(con_id: int, size: int) -> VolumeEvent:
    contract = Contract(symbol=f"S{con_id}", con_id=con_id)
    return VolumeEvent(at=AT, contract=contract, volume=Decimal(size))


def fact(code: int) -> ErrorEvent:
    return ErrorEvent(at=AT, code=code, message="")


async def drain(queue: EventQueue) -> list[BaseEvent]:
    queue.close()
    async with asyncio.timeout(2):
        return [event async for event in queue.stream()]


async def test_facts_come_before_prices_and_in_order() -> None:
    queue = EventQueue()
    for event in (price(1, 10), fact(1), price(2, 20), fact(2)):
        queue.publish(event)
    assert await drain(queue) == [fact(1), fact(2), price(1, 10), price(2, 20)]


async def test_of_a_days_volume_the_newest_waits_beside_the_price() -> None:
    queue = EventQueue()
    for event in (price(1, 10), volume(1, 100), volume(2, 7), price(1, 11), volume(1, 300)):
        queue.publish(event)
    assert await drain(queue) == [price(1, 11), volume(1, 300), volume(2, 7)]


async def test_of_fifty_thousand_ticks_only_the_newest_waits() -> None:
    queue = EventQueue()
    for bid in range(50_000):
        queue.publish(price(bid % 2, bid))
    queue.publish(fact(7))
    assert await drain(queue) == [fact(7), price(0, 49_998), price(1, 49_999)]


async def test_a_full_queue_says_so_and_says_when_there_is_room_again() -> None:
    queue, told = EventQueue(limit=4), []
    queue.on_full = lambda: told.append("full")
    queue.on_drained = lambda: told.append("drained")
    for code in range(6):
        queue.publish(fact(code))
    assert told == ["full"]
    assert await drain(queue) == [fact(code) for code in range(6)]
    assert told == ["full", "drained"]


async def publish_later(queue: EventQueue, event: BaseEvent) -> None:
    await asyncio.sleep(0)
    queue.publish(event)


async def test_the_reader_waits_for_what_comes() -> None:
    queue = EventQueue()
    async with asyncio.timeout(2), asyncio.TaskGroup() as group:
        group.create_task(publish_later(queue, fact(1)))
        assert await anext(aiter(queue.stream())) == fact(1)
