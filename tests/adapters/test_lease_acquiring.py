"""A lease is waited for, asked for again, and refused where it could not be told apart."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from ibkr_trader.adapters.lease import Denial, Grant, Why
from ibkr_trader.adapters.redis_address import RedisAddress
from tests.adapters.lease_parts import KEY, OURS, Machine, acquired, why
from tests.adapters.redis_parts import Hand, impostor, until
from tests.redis_server import RedisServer


async def test_one_that_is_held_is_waited_for(one: Machine, two: Machine) -> None:
    async with acquired(one) as first:
        second = two.lease()
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(second.acquire(wait=60))
            for _ in range(3):
                await two.time.sleeps(1.5)
                two.time.move(1.5)
            await two.time.sleeps(1.5)
            await first.release()
            two.time.move(1.5)
        assert asking.result() == Grant(epoch=2)
        await second.release()


async def test_waiting_has_an_end(one: Machine, two: Machine) -> None:
    async with acquired(one), asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(two.lease().acquire(wait=2))
        for pause in (1.5, 0.5):
            await two.time.sleeps(pause)
            two.time.move(pause)
    assert why(asking.result()) is Why.HELD


async def test_a_server_that_is_down_is_waited_for(one: Machine, redis_server: RedisServer) -> None:
    redis_server.kill()
    lease = one.lease()
    denied = await lease.acquire()
    assert why(denied) is Why.UNREACHABLE
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(lease.acquire(wait=60))
        await one.time.sleeps(1.5)
        redis_server.restart()
        one.time.move(1.5)
    assert asking.result() == Grant(epoch=1)
    await lease.release()


async def test_an_answer_that_was_lost_is_asked_for_again_and_costs_no_epoch(
    one: Machine, redis_server: RedisServer, other: Hand
) -> None:
    one.patience = 0.1
    lease = one.lease()
    async with asyncio.TaskGroup() as tasks:
        await lease._link.open()
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            asking = tasks.create_task(lease.acquire(wait=60))
            await one.time.sleeps(1.5)
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)
        await until(lambda: other.do("EXISTS", KEY))  # it was carried out after all
        other.do("PEXPIRE", KEY, 9_000)
        one.time.move(1.5)
    assert asking.result() == Grant(epoch=1)
    assert other.do("PTTL", KEY) > 14_000
    assert lease.held
    await lease.release()


async def test_one_that_comes_too_late_is_none(
    one: Machine, redis_server: RedisServer, other: Hand
) -> None:
    lease = one.lease()
    async with asyncio.TaskGroup() as tasks:
        await lease._link.open()
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            asking = tasks.create_task(lease.acquire(wait=5))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            one.time.move(OURS)
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)
    assert why(asking.result()) is Why.UNREACHABLE
    assert not lease.held
    assert other.do("EXISTS", KEY) == 0  # and it is given back


async def test_a_server_that_has_forgotten_epochs_is_refused_until_a_person_has_looked(
    one: Machine, two: Machine, redis_server: RedisServer, other: Hand
) -> None:
    for _ in range(3):
        async with acquired(one):
            pass
    redis_server.flush()
    lease = one.lease()
    denied = await lease.acquire(wait=60)
    assert why(denied) is Why.BEHIND
    assert isinstance(denied, Denial)
    assert denied.hint.endswith(f"SET {KEY}:epoch 3")
    assert other.do("EXISTS", KEY) == 0
    unknowing = two.lease()  # it has seen none, and cannot know
    assert await unknowing.acquire() == Grant(epoch=1)
    await unknowing.release()
    other.do("SET", f"{KEY}:epoch", 3)
    assert await lease.acquire() == Grant(epoch=4)
    await lease.release()


async def test_a_memory_that_is_damaged_or_full_denies(one: Machine, other: Hand) -> None:
    one.memory.parent.mkdir(mode=0o700)
    one.memory.write_text("damaged")
    denied = await one.lease().acquire(wait=60)
    assert why(denied) is Why.MEMORY
    one.memory.unlink()
    one.memory.with_name(f".{one.memory.name}.{os.getpid()}.new").mkdir()
    denied = await one.lease().acquire(wait=60)
    assert why(denied) is Why.MEMORY
    assert other.do("EXISTS", KEY) == 0  # what could not be noted is given back


@pytest.mark.parametrize("words", [("RPUSH", f"{KEY}:epoch", "x"), ("SET", f"{KEY}:epoch", "x")])
async def test_an_epoch_that_is_none_denies_and_holds_nothing(
    one: Machine, other: Hand, words: tuple[str, ...]
) -> None:
    other.do(*words)
    assert why(await one.lease().acquire()) is Why.UNREACHABLE
    assert other.do("EXISTS", KEY) == 0


@pytest.mark.parametrize("answer", [b"+OK\r\n", b"*2\r\n$7\r\ngranted\r\n$1\r\nx\r\n", b":1\r\n"])
async def test_what_is_no_answer_grants_nothing(answer: bytes, tmp_path: Path) -> None:
    async with impostor(answer) as port:
        lease = Machine("one", tmp_path, RedisAddress(port=port)).lease()
        assert why(await lease.acquire()) is Why.UNREACHABLE
        assert not lease.held


async def test_a_holder_of_another_kind_is_named_as_far_as_it_can_be(
    one: Machine, other: Hand
) -> None:
    other.do("SET", KEY, b"\x1b[2J\xff")
    denied = await one.lease().acquire()
    assert isinstance(denied, Denial)
    assert denied.message == "no lease: somebody has it, and it never runs out"


async def test_large_epochs_are_exact(one: Machine, other: Hand) -> None:
    other.do("SET", f"{KEY}:epoch", 123_456_789_012_345)
    lease = one.lease()
    assert await lease.acquire() == Grant(epoch=123_456_789_012_346)
    await lease.release()
