"""A consumer group does what the source relies upon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ibkr_trader.adapters.redis_address import RedisAddress, read_address
from ibkr_trader.adapters.redis_link import GARBLED, RedisLink, RedisTrouble
from ibkr_trader.adapters.signals import redis_stream
from ibkr_trader.adapters.signals.redis_stream import FIRST, DeadLetter, Entry, Names, SignalStream
from tests.adapters.redis_parts import impostor
from tests.adapters.signals.queue_parts import DEAD, GROUP, STREAM, US, Post
from tests.redis_server import RedisServer

NAMES = Names(stream=STREAM, group=GROUP, consumer=US, dead=DEAD)


@asynccontextmanager
async def opened(address: RedisAddress, *, count: int = 10) -> AsyncIterator[SignalStream]:
    stream = SignalStream(RedisLink(address), NAMES, count=count)
    async with stream.opened():
        yield stream


@asynccontextmanager
async def ready(server: RedisServer, *, count: int = 10) -> AsyncIterator[SignalStream]:
    async with opened(read_address(server.url), count=count) as stream:
        yield stream


async def test_new_entries_come_in_order_and_so_many_at_once(
    redis_server: RedisServer, post: Post
) -> None:
    ids = [post.add(data=f"{number}", other="field") for number in range(3)]
    async with ready(redis_server, count=2) as stream:
        first = await stream.read_new(wait=1)
        second = await stream.read_new(wait=1)
        assert await stream.read_new(wait=0.01) == []
    assert [entry.entry_id for entry in first + second] == ids
    assert [entry.data for entry in first + second] == [b"0", b"1", b"2"]
    assert len(first) == 2


async def test_deliveries_are_counted_and_what_is_deleted_is_told(
    redis_server: RedisServer, post: Post
) -> None:
    ids = [post.add(data="x") for _ in range(3)]
    async with ready(redis_server) as stream:
        assert [entry.deliveries for entry in await stream.read_new(wait=1)] == [1, 1, 1]
        post.hand.do("XDEL", STREAM, ids[1])
        pending = await stream.read_pending(FIRST)
        assert [entry.deliveries for entry in pending] == [2, 1, 2]
        assert [entry.is_deleted for entry in pending] == [False, True, False]
        assert await stream.read_pending(ids[2]) == []
        await stream.acknowledge(pending[:2])
        assert [entry.entry_id for entry in await stream.read_pending(FIRST)] == ids[2:]
        await stream.acknowledge([])


async def test_only_what_has_waited_long_enough_is_claimed_and_not_counted_as_delivered(
    redis_server: RedisServer, post: Post
) -> None:
    post.group()
    ids = [post.add(data="x") for _ in range(5)]
    post.deliver("dead", count=5)
    post.age("dead", 61, *ids[:4])
    post.hand.do("XDEL", STREAM, ids[0])
    async with ready(redis_server, count=2) as stream:
        assert await stream.claim_idle(idle=60) == 1
        pending = await stream.read_pending(FIRST) + await stream.read_pending(ids[2])
    assert [entry.entry_id for entry in pending] == ids[1:4]
    assert {entry.deliveries for entry in pending} == {2}
    assert post.pending("dead") == ids[4:]


async def test_a_look_for_abandoned_entries_has_an_end(
    redis_server: RedisServer, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_stream, "_CLAIM_TURNS", 1)
    post.group()
    ids = [post.add(data="x") for _ in range(3)]
    post.deliver("dead", count=3)
    post.age("dead", 61, *ids)
    async with ready(redis_server, count=2) as stream:
        await stream.claim_idle(idle=60)
        assert post.pending(US) == ids[:2]


async def test_what_others_claimed_is_not_ours(redis_server: RedisServer, post: Post) -> None:
    ids = [post.add(data="x") for _ in range(3)]
    async with ready(redis_server) as stream:
        entries = await stream.read_new(wait=1)
        post.age("other", 0, ids[1])
        assert await stream.still_ours(entries) == [entries[0], entries[2]]
        assert [entry.deliveries for entry in await stream.read_pending(FIRST)] == [2, 2]
        post.age("other", 0, *ids)
        assert await stream.still_ours(entries) == []


async def test_dead_letters_are_short_and_few(redis_server: RedisServer, post: Post) -> None:
    async with ready(redis_server) as stream:
        for number in range(4):
            entry = Entry(entry_id=b"5-%d" % number, data=b"x" * 2_000, deliveries=3)
            letter = DeadLetter(entry=entry, code="stale", message="an hour")
            await stream.bury(letter, most=2)
    assert post.letters() == [
        {
            b"reason": b"stale",
            b"message": b"an hour",
            b"id": b"5-%d" % number,
            b"deliveries": b"3",
            b"excerpt": b"x" * 1_024,
        }
        for number in (2, 3)
    ]


def test_an_id_is_a_time_if_it_can_be_one() -> None:
    at = Entry(entry_id=b"1795444200123-7").at
    assert at is not None
    assert at.isoformat() == "2026-11-23T14:30:00.123000+00:00"
    assert Entry(entry_id=b"18446744073709551615-0").at is None


ENTRIES = [Entry(entry_id=b"1-1")]


@pytest.mark.parametrize(
    "answer",
    [b"+OK\r\n", b":7\r\n", b"*1\r\n:1\r\n", b"*2\r\n:1\r\n:2\r\n", b"*1\r\n*1\r\n+x\r\n"],
)
async def test_answers_of_another_kind_are_told_apart(answer: bytes) -> None:
    async with impostor(answer) as port, opened(RedisAddress(port=port)) as stream:
        for ask in (
            stream.read_new(wait=0.01),
            stream.read_pending(FIRST),
            stream.claim_idle(idle=1),
            stream.still_ours(ENTRIES),
        ):
            with pytest.raises(RedisTrouble) as caught:
                await ask
            assert caught.value.code == GARBLED
