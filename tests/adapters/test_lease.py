"""A lease has one holder, who knows by its own clocks for how long."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import pytest

from ibkr_trader.adapters.lease import Denial, Grant, Why
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.execution.tasks import alongside
from tests.adapters.lease_parts import AT, KEY, OURS, RENEWAL, Machine, acquired, why
from tests.adapters.redis_parts import Hand, until
from tests.redis_server import RedisServer


async def test_it_has_one_holder_and_the_epoch_grows(one: Machine, two: Machine) -> None:
    first, second = one.lease(), two.lease()
    assert await first.acquire() == Grant(epoch=1)
    assert first.held
    denied = await second.acquire()
    assert why(denied) is Why.HELD
    assert isinstance(denied, Denial)
    assert denied.message.startswith("no lease: one (since 2026-11-23 14:30:00 UTC) has it, for 1")
    assert not second.held
    await first.release()
    assert not first.held
    assert await second.acquire() == Grant(epoch=2)
    await second.release()
    assert await first.acquire() == Grant(epoch=3)
    await first.release()
    assert one.lost + two.lost == []


async def test_it_runs_out_by_itself_at_the_server(one: Machine, other: Hand) -> None:
    async with acquired(one):
        assert 14_000 < other.do("PTTL", KEY) <= 15_000


async def test_one_that_is_held_is_not_asked_for(one: Machine) -> None:
    async with acquired(one) as lease:
        with pytest.raises(InvariantBroken):
            await lease.acquire()
        assert lease.held


async def test_it_is_ours_for_so_long_and_not_a_moment_longer(one: Machine) -> None:
    async with acquired(one) as lease:
        one.time.move(OURS - 0.001)
        assert lease.held
        one.time.move(0.001)
        assert not lease.held


async def test_it_is_renewed_in_time(one: Machine, other: Hand) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        for _ in range(5):
            await one.time.sleeps(RENEWAL)
            other.do("PEXPIRE", KEY, 9_000)
            one.time.move(RENEWAL)
            await until(lambda: other.do("PTTL", KEY) > 14_000)
        await one.time.sleeps(RENEWAL)
        one.time.move(OURS - 0.001)
        assert lease.held
    assert one.lost == []


async def test_it_is_counted_from_before_the_renewal_was_sent(
    one: Machine, redis_server: RedisServer, other: Hand
) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        await one.time.sleeps(RENEWAL)
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            one.time.move(RENEWAL)
            await one.time.sleeps(OURS - RENEWAL)  # asked, and waited for that long
            one.time.move(4)
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)
        await one.time.sleeps(RENEWAL)  # it was answered 4 s later
        one.time.move(OURS - 4 - 0.001)
        assert lease.held
        one.time.move(0.001)
        assert not lease.held


async def test_a_server_that_says_nothing_loses_it_in_time(
    one: Machine, redis_server: RedisServer
) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        await one.time.sleeps(RENEWAL)
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            one.time.move(RENEWAL)
            await one.time.sleeps(OURS - RENEWAL)
            one.time.move(OURS - RENEWAL)
            await until(lambda: one.lost)
            assert not lease.held
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)
    (reason,) = one.lost
    assert "not renewed in time" in reason


async def test_a_server_that_is_down_is_asked_again_until_it_is_lost(
    one: Machine, redis_server: RedisServer
) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        await one.time.sleeps(RENEWAL)
        redis_server.kill()
        one.time.move(RENEWAL)
        for _ in range(4):
            await one.time.sleeps(1.5)
            one.time.move(1.5)
        await one.time.sleeps(1)
        assert lease.held
        one.time.move(1)
        await until(lambda: one.lost)
        assert not lease.held
    (reason,) = one.lost
    assert "down: " in reason


async def test_a_connection_that_breaks_loses_nothing(one: Machine, other: Hand) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        await one.time.sleeps(RENEWAL)
        other.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        other.do("PEXPIRE", KEY, 9_000)
        one.time.move(RENEWAL)
        await one.time.sleeps(1.5)
        one.time.move(1.5)
        await until(lambda: other.do("PTTL", KEY) > 14_000)
        await one.time.sleeps(RENEWAL)
        assert lease.held
    assert one.lost == []


@pytest.mark.parametrize("words", [("DEL", KEY), ("SET", KEY, "two/other"), ("FLUSHALL",)])
async def test_what_is_somebody_elses_is_lost_at_the_next_renewal(
    one: Machine, other: Hand, words: tuple[str, ...]
) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        await one.time.sleeps(RENEWAL)
        other.do(*words)
        one.time.move(RENEWAL)
        await until(lambda: one.lost)
        assert not lease.held
        await lease.release()
    assert len(one.lost) == 1
    assert other.do("GET", KEY) == (b"two/other" if words[0] == "SET" else None)


async def test_a_late_keeper_loses_it_even_if_the_server_would_renew(
    one: Machine, other: Hand
) -> None:
    async with acquired(one) as lease:
        one.time.move(OURS)  # the loop was busy with something else
        await lease.keep()
        assert other.do("PTTL", KEY) > 0
    (reason,) = one.lost
    assert "not renewed in time" in reason


async def test_an_answer_that_comes_after_it_was_seen_lost_does_not_bring_it_back(
    one: Machine, redis_server: RedisServer
) -> None:
    async with acquired(one) as lease, alongside(lease.keep()):
        await one.time.sleeps(RENEWAL)
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            one.time.move(RENEWAL)
            await one.time.sleeps(OURS - RENEWAL)
            one.time.clock.advance(OURS - RENEWAL)  # and nobody is woken: the loop is busy
            assert not lease.held
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)
        await until(lambda: one.lost)
        assert not lease.held


async def test_a_machine_that_slept_has_lost_it(one: Machine) -> None:
    async with acquired(one) as lease:
        one.time.clock.jump(AT + timedelta(seconds=OURS - 1))
        assert lease.held
        one.time.clock.jump(AT + timedelta(hours=8))
        assert not lease.held
        await lease.keep()
    assert len(one.lost) == 1


async def test_a_wall_clock_that_is_set_back_makes_it_no_longer(one: Machine) -> None:
    async with acquired(one) as lease:
        one.time.clock.jump(AT - timedelta(hours=1))
        assert lease.held
        one.time.move(OURS)
        assert not lease.held


async def test_it_is_given_back_only_by_its_token(one: Machine, other: Hand) -> None:
    async with acquired(one):
        other.do("SET", KEY, "two/other")
    assert other.do("GET", KEY) == b"two/other"


async def test_a_server_that_is_gone_does_not_keep_us_from_leaving(
    one: Machine, redis_server: RedisServer
) -> None:
    async with acquired(one) as lease:
        redis_server.kill()
        await lease.release()
        assert not lease.held
        await lease.keep()
    assert one.lost == []
