"""Asking for the lease, waiting for it, and giving it back."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from ibkr_trader.adapters.leading import kept, leading, stand_by
from ibkr_trader.adapters.lease import Grant, Lease
from ibkr_trader.adapters.redis_address import read_address
from ibkr_trader.core.errors import AccountLocked
from ibkr_trader.execution.leadership import Leadership
from ibkr_trader.execution.tasks import alongside
from tests.adapters.lease_parts import KEY, RENEWAL, Machine, acquired
from tests.adapters.redis_parts import DeafLink, Hand, until
from tests.redis_server import RedisServer


def lease_of(machine: Machine, _lost: object) -> Lease:
    return machine.lease()


async def test_a_free_lease_is_held_for_the_block(one: Machine, other: Hand) -> None:
    async with leading(partial(lease_of, one), one.time.clock) as leadership:
        assert (leadership.epoch, leadership.objection()) == (1, "")
        assert other.do("EXISTS", KEY) == 1
        await one.time.sleeps(RENEWAL)
    assert other.do("EXISTS", KEY) == 0
    assert leadership.objection() == "the lease has run out"


async def test_a_block_renews_it_and_gives_it_back_however_it_ends(
    one: Machine, other: Hand
) -> None:
    lease, leadership = one.lease(), Leadership(one.time.clock)
    grant = await lease.acquire()
    assert isinstance(grant, Grant)
    async with kept(lease, leadership, grant):
        await one.time.sleeps(RENEWAL)
        other.do("PEXPIRE", KEY, 9_000)
        one.time.move(RENEWAL)
        await until(lambda: other.do("PTTL", KEY) > 14_000)
    assert not lease.held
    assert other.do("EXISTS", KEY) == 0
    grant = await lease.acquire()
    assert grant == Grant(epoch=2)
    with pytest.raises(ZeroDivisionError):
        async with kept(lease, leadership, grant):
            raise ZeroDivisionError
    assert not lease.held
    assert other.do("EXISTS", KEY) == 0


async def test_one_that_others_hold_is_not_waited_for(one: Machine, two: Machine) -> None:
    async with acquired(one), leading(partial(lease_of, two), two.time.clock) as leadership:
        assert leadership.epoch == 0
        assert leadership.objection().startswith("no lease: one (since")


async def test_who_has_it_is_said_once_and_it_is_taken_over(one: Machine, two: Machine) -> None:
    said: list[str] = []
    async with acquired(one), alongside(take_turns(two, said)):
        await two.time.sleeps(1.5)
        for _ in range(8):  # two rounds of asking, and more
            two.time.move(1.5)
            await asyncio.sleep(0.02)
        assert [line.startswith("standing by: no lease: one (since") for line in said] == [True]


async def take_turns(machine: Machine, said: list[str]) -> None:
    await stand_by(machine.lease(), say=said.append)


async def test_who_gives_up_waiting_leaves_no_connection_behind(
    one: Machine, two: Machine, other: Hand
) -> None:
    lease = two.lease()
    async with acquired(one):
        before = other.do("CLIENT", "LIST").count(b"id=")
        async with alongside(take_turns_with(lease)):
            await two.time.sleeps(1.5)
            assert other.do("CLIENT", "LIST").count(b"id=") > before
        await until(lambda: other.do("CLIENT", "LIST").count(b"id=") == before)


async def test_whose_end_is_swallowed_stands_by_no_longer(
    one: Machine, two: Machine, redis_server: RedisServer
) -> None:
    link = DeafLink(read_address(redis_server.url), {"EVAL": [b"held", b"one/x", 15_000]})
    async with acquired(one), asyncio.timeout(10), alongside(take_turns_with(two.lease(link))):
        await link.is_asked.wait()
    assert not link.is_open


async def take_turns_with(lease: Lease) -> None:
    await stand_by(lease, say=lambda _: None)


async def test_it_is_granted_once_it_is_free(one: Machine, two: Machine) -> None:
    said: list[str] = []
    first, second = one.lease(), two.lease()
    assert isinstance(await first.acquire(), Grant)
    leadership = Leadership(two.time.clock)

    async def give_back() -> None:
        await until(lambda: said)
        await first.release()
        await two.time.sleeps(1.5)
        two.time.move(1.5)

    async with alongside(give_back()):
        grant = await stand_by(second, say=said.append)
    async with kept(second, leadership, grant):
        assert (leadership.epoch, second.held) == (2, True)
    assert not second.held


async def test_what_a_person_has_to_see_to_is_not_waited_for(one: Machine, other: Hand) -> None:
    async with acquired(one):
        pass
    other.do("DEL", f"{KEY}:epoch")
    with pytest.raises(AccountLocked, match="1 was seen here") as refused:
        await stand_by(one.lease(), say=print)
    assert "once nobody trades" in refused.value.hint


async def test_a_server_that_is_down_is_waited_for_and_said(
    one: Machine, redis_server: RedisServer
) -> None:
    said: list[str] = []
    redis_server.kill()
    async with alongside(take_turns(one, said)):
        await until(lambda: said)
        await one.time.sleeps(1.5)
    assert said[0].startswith("standing by: no lease: down")
