"""What was delivered and never finished is handed over again, and by one consumer only."""

from __future__ import annotations

import asyncio
import sys

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.core.signals import Incoming, Malformed, SignalReply
from tests.adapters.redis_parts import PATIENCE, until
from tests.adapters.signals.queue_parts import (
    AT,
    GROUP,
    KEPT,
    STREAM,
    US,
    Desk,
    Pauses,
    Post,
    envelope,
    running,
    source,
)
from tests.redis_server import RedisServer


async def test_a_consumer_that_is_killed_finds_its_entry_again(
    redis_server: RedisServer, post: Post
) -> None:
    (entry,) = post.send("a")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.signals.queue_child", redis_server.url,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert await child.stdout.readline() == b"a\n"
        child.kill()
        await child.communicate()
    assert post.pending(US) == [entry]
    desk = Desk()
    signals = source(redis_server.url)
    await desk.take(signals._read(envelope("a")))  # its journal had it
    async with running(signals, desk):
        await desk.has(2)
        await until(post.is_settled)
    assert desk.taken[0] == desk.taken[1]
    assert signals.counts == {"duplicate": 1}


async def test_what_we_had_before_comes_before_what_is_new(
    redis_server: RedisServer, post: Post
) -> None:
    post.group()
    post.send("a", "b", "c")
    post.deliver(US, count=2)
    desk = Desk()
    async with running(source(redis_server.url, count=1), desk):
        await desk.has(3)
        await until(post.is_settled)
    assert desk.ids == ["a", "b", "c"]


async def test_what_the_dead_had_is_ours_after_a_while(
    redis_server: RedisServer, post: Post
) -> None:
    post.group()
    post.send("a", "b", "c")
    entries = post.deliver("dead", count=3)
    post.age("dead", 59, *entries[:1])
    post.age("dead", 61, *entries[1:])
    desk, clock = Desk(), ManualClock(AT)
    signals = source(
        redis_server.url, clock=clock, claim_after_seconds=60, recover_seconds=30, count=1
    )
    async with running(signals, desk):
        await desk.has(2)
        await until(lambda: post.pending() == entries[:1])
        post.age("dead", 61, *entries[:1])
        post.send("d")
        await desk.has(3)
        assert desk.ids == ["b", "c", "d"]  # nobody has looked again yet
        clock.advance(30)
        await desk.has(4)
        await until(post.is_settled)
    assert desk.ids == ["b", "c", "d", "a"]


async def test_two_consumers_share_and_none_has_what_the_other_has(
    redis_server: RedisServer, post: Post
) -> None:
    post.send(*(f"{number}" for number in range(600)))
    desks = Desk(), Desk()
    first, second = (
        source(redis_server.url, consumer=name, count=5, claim_after_seconds=3_600) for name in "xy"
    )
    async with running(first, desks[0]), running(second, desks[1]):
        await until(lambda: sum(len(desk.taken) for desk in desks) >= 600)
        await until(post.is_settled)
    assert all(desk.taken for desk in desks)
    assert sorted(desks[0].ids + desks[1].ids, key=int) == [f"{n}" for n in range(600)]


async def test_a_slow_desk_does_not_hand_over_what_was_claimed_meanwhile(
    redis_server: RedisServer, post: Post
) -> None:
    desk, clock = Desk(), ManualClock(AT)
    entries = post.send("a", "b", "c", "d")
    slow = source(redis_server.url, clock=clock, claim_after_seconds=60)

    async def take(incoming: Incoming) -> SignalReply:
        if incoming.signal_id == "b":  # it took half of the time, and c is somebody else's now
            clock.advance(30)
            post.age("other", 0, entries[2])
        return await desk.take(incoming)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(slow.run(take))
        await desk.has(3)
        await until(lambda: post.pending() == [entries[2]])
        task.cancel()
    assert desk.ids == ["a", "b", "d"]
    assert post.pending("other") == [entries[2]]


async def test_what_is_done_is_acknowledged_before_others_could_claim_it(
    redis_server: RedisServer, post: Post
) -> None:
    desk, clock, pauses = Desk(), ManualClock(AT), Pauses()
    desk.replies["b"] = [KEPT] * 3
    entries = post.send("a", "b", "c")
    pending: list[list[bytes]] = []

    def look() -> None:
        pending.append(post.pending())
        clock.advance(15)

    pauses.before = look
    signals = source(redis_server.url, clock=clock, pauses=pauses, claim_after_seconds=60)
    async with running(signals, desk):
        await desk.has(6)
        await until(post.is_settled)
    assert pending == [entries, entries, entries[1:]]
    assert desk.ids == ["a", "b", "b", "b", "b", "c"]


async def test_what_we_hold_for_long_is_ours_afresh_and_was_not_delivered_again(
    redis_server: RedisServer, post: Post
) -> None:
    desk, clock, pauses = Desk(), ManualClock(AT), Pauses()
    desk.replies["a"] = [KEPT, KEPT]
    (entry,) = post.send("a")
    seen: list[tuple[int, int]] = []

    def look() -> None:
        (row,) = post.hand.do("XPENDING", STREAM, GROUP, "-", "+", 10)
        seen.append((row[2] > 50_000, row[3]))
        if len(seen) == 1:
            post.hand.do("XCLAIM", STREAM, GROUP, US, 0, entry, "IDLE", 55_000, "JUSTID")
            clock.advance(30)

    pauses.before = look
    async with running(source(redis_server.url, clock=clock, pauses=pauses), desk):
        await desk.has(3)
        await until(post.is_settled)
    assert seen == [(False, 1), (False, 1)]


async def test_what_was_delivered_too_often_is_not_looked_at_again(
    redis_server: RedisServer, post: Post
) -> None:
    post.group()
    post.send("deadly", "fine")
    post.deliver(US, count=1)
    for _ in range(3):
        post.deliver(US, count=1, after="0")
    desk, signals = Desk(), source(redis_server.url, max_deliveries=4)
    async with running(signals, desk):
        await desk.has(2)
        await until(post.is_settled)
    poison, fine = desk.taken
    assert isinstance(poison, Malformed)
    assert (poison.code, poison.signal_id, poison.excerpt) == ("poison", "", "")
    assert "5 times" in poison.message
    assert fine.signal_id == "fine"
    (letter,) = post.letters()
    assert (letter[b"reason"], letter[b"deliveries"]) == (b"poison", b"5")


async def test_as_often_as_is_allowed_is_not_too_often(
    redis_server: RedisServer, post: Post
) -> None:
    post.group()
    post.send("a")
    post.deliver(US)
    for _ in range(2):
        post.deliver(US, after="0")
    desk = Desk()
    async with running(source(redis_server.url, max_deliveries=4), desk):
        await desk.has(1)
        await until(post.is_settled)
    assert desk.ids == ["a"]


async def test_entries_that_were_deleted_meanwhile_are_counted_and_forgotten(
    redis_server: RedisServer, post: Post
) -> None:
    post.group()
    entries = post.send("a", "b", "c")
    post.deliver(US, count=2)
    post.deliver("dead", count=1)
    post.age("dead", 61, entries[2])
    post.hand.do("XDEL", STREAM, entries[0], entries[2])
    desk, signals = Desk(), source(redis_server.url)
    async with running(signals, desk):
        await desk.has(1)
        await until(lambda: not post.pending())
    assert desk.ids == ["b"]
    assert signals.counts == {"taken": 1, "deleted": 2}


async def test_one_that_is_stopped_keeps_what_it_was_not_done_with(
    redis_server: RedisServer, post: Post
) -> None:
    desk = Desk()
    desk.gate.clear()
    entries = post.send("a")
    async with running(source(redis_server.url), desk):
        await desk.has(1)
    assert post.pending(US) == entries
