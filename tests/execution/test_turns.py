"""One thing at a time for each symbol: order, limits, and callers that go away."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.turns import LANES, Turns


@asynccontextmanager
async def working(turns: Turns) -> AsyncIterator[None]:
    """Run the lanes, and never for longer than a test may take."""
    async with asyncio.timeout(5), alongside(turns.work()):
        yield


def elsewhere(turns: Turns) -> tuple[str, str]:
    """Two symbols that do not share a lane."""
    first, *others = (f"S{number}" for number in range(50))
    other = next(one for one in others if turns._lane(one) is not turns._lane(first))
    return first, other


class Log:
    """What was done, in its order, and whether anything has begun."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.begun = asyncio.Event()

    def job(self, name: str, until: asyncio.Event | None = None) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            self.done.append(f"{name} begins")
            self.begun.set()
            if until is not None:
                await until.wait()
            self.done.append(name)

        return work


async def test_a_symbol_has_one_thing_at_a_time_and_the_others_go_on() -> None:
    turns, log, gate = Turns(), Log(), asyncio.Event()
    one, other = elsewhere(turns)
    assert turns.offer(one, log.job("a1", gate))
    assert turns.offer(one, log.job("a2"))
    async with working(turns):
        assert await turns.ask(other, answer("b"), busy="") == "b"
        assert log.done == ["a1 begins"]
        gate.set()
        await turns.idle()
    assert log.done == ["a1 begins", "a1", "a2 begins", "a2"]


def answer(word: str) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        return word

    return work


async def test_more_than_may_wait_are_turned_away_and_nothing_of_them_is_done() -> None:
    turns, log = Turns(limit=2), Log()
    one, other = elsewhere(turns)
    assert [turns.offer(one, log.job(name)) for name in "abc"] == [True, True, False]
    assert await turns.ask(one, answer("never"), busy="busy") == "busy"
    assert turns.offer(other, log.job("elsewhere"))
    async with working(turns):
        await turns.idle()
    assert sorted(name for name in log.done if "begins" not in name) == ["a", "b", "elsewhere"]


async def test_a_caller_that_goes_away_stops_nothing() -> None:
    turns, log, gate = Turns(), Log(), asyncio.Event()
    async with working(turns), asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(turns.ask("A", log.job("a", gate), busy=None))
        await log.begun.wait()
        caller.cancel()
        await asyncio.wait([caller])
        assert caller.cancelled()
        gate.set()
        await turns.idle()
        assert log.done == ["a begins", "a"]


async def test_what_waits_is_done_though_its_caller_has_gone() -> None:
    turns, log = Turns(), Log()
    async with asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(turns.ask("A", log.job("a"), busy=None))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait([caller])
    async with working(turns):
        await turns.idle()
    assert log.done == ["a begins", "a"]


class Broken(Exception):
    """What a job raises."""


async def fail() -> None:
    raise Broken


async def test_a_job_that_raises_tells_its_caller_and_ends_whoever_owns_the_lanes() -> None:
    turns = Turns()
    heard: list[BaseException] = []

    async def ask() -> None:
        try:
            await turns.ask("A", fail, busy=None)
        except Broken as error:
            heard.append(error)

    async def both() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(ask())
            tasks.create_task(turns.work())

    with pytest.raises(BaseExceptionGroup) as caught:
        await both()
    assert caught.group_contains(Broken, depth=None)
    assert len(heard) == 1


async def test_a_job_of_nobody_that_raises_ends_the_owner_too() -> None:
    turns = Turns()
    assert turns.offer("A", fail)
    with pytest.raises(BaseExceptionGroup) as caught:
        async with asyncio.timeout(5):
            await turns.work()
    assert caught.group_contains(Broken)


async def test_nobody_waits_for_an_answer_of_lanes_that_have_ended() -> None:
    turns, log, gate = Turns(), Log(), asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        async with alongside(turns.work()):
            callers = [
                tasks.create_task(turns.ask("A", log.job(name, gate), busy=None)) for name in "ab"
            ]
            await log.begun.wait()
        await asyncio.wait(callers)
    assert all(caller.cancelled() for caller in callers)
    assert log.done == ["a begins"]


async def test_a_symbol_has_the_same_lane_in_every_process() -> None:
    turns = Turns()
    assert len(turns._lanes) == LANES
    for name in ("AAPL", "MSFT", "TSLA"):
        assert turns._lane(name) is turns._lanes[zlib.crc32(name.encode()) % LANES]
