"""Whatever becomes of Redis, the source says so once, waits, and goes on where it was."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.redis_address import RedisAddress
from tests.adapters.redis_parts import Hand, impostor, until
from tests.adapters.signals.queue_parts import (
    AT,
    DEAD,
    GROUP,
    STREAM,
    US,
    Desk,
    Pauses,
    Post,
    running,
    source,
)
from tests.redis_server import RedisServer
from tests.redis_server import running as running_server

HIDDEN = "a-secret-word"


def later(clock: ManualClock, is_so: Callable[[], bool]) -> bool:
    """Whether it is so; if not, half a minute passes."""
    if not (found := is_so()):
        clock.advance(30)
    return found


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("ibkr")]


async def test_a_server_that_comes_late_is_waited_for(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.kill()
    desk, pauses, said = Desk(), Pauses(), list[str]()
    signals = source(redis_server.url, pauses=pauses, max_backoff_seconds=2)
    async with running(signals, desk, say=said.append):
        await until(lambda: len(pauses.asked) >= 6)
        redis_server.restart()
        post = Post(Hand(redis_server.url))
        post.send("a")
        await desk.has(1)
        await until(post.is_settled)
        post.hand.close()
    assert pauses.asked[:6] == [0.5, 1, 2, 2, 2, 2]
    down, again = told(caplog)
    assert down.startswith("no signals from redis: down: ")
    assert again == "signals from redis come again"
    assert said[0].startswith("signals of redis do not come: Error ")
    assert said[1:] == ["signals of redis come again"]
    assert signals.counts["failures"] == len(pauses.asked)


async def test_pauses_differ_from_one_desk_to_another(redis_server: RedisServer) -> None:
    redis_server.kill()
    asked = []
    for chance in (0.0, 0.5):
        pauses = Pauses()
        async with running(source(redis_server.url, pauses=pauses, chance=chance), Desk()):
            await until(lambda: len(pauses.asked) >= 2)  # noqa: B023 - within this turn
        asked.append(pauses.asked[:2])
    assert asked == [[0.25, 0.5], [0.375, 0.75]]


async def test_a_server_that_is_killed_and_comes_back_empty_is_used_again(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    post = Post(Hand(redis_server.url))
    post.send("a")
    async with running(signals, desk):
        await desk.has(1)
        redis_server.restart()
        post.send("b")
        await desk.has(2)
        await until(post.is_settled)
        post.hand.close()
    assert desk.ids == ["a", "b"]
    assert told(caplog)[-1] == "signals from redis come again"


async def test_a_server_that_is_killed_in_the_middle_takes_nothing_with_it_that_was_read(
    redis_server: RedisServer,
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    post = Post(Hand(redis_server.url))
    desk.gate.clear()
    post.send("a", "b", "c")
    async with running(signals, desk):
        await desk.has(1)
        redis_server.restart()  # all it had is lost
        desk.gate.set()
        await desk.has(3)
        post.send("d")
        await desk.has(4)
        await until(post.is_settled)
        post.hand.close()
    assert desk.ids == ["a", "b", "c", "d"]


async def test_what_was_taken_and_not_acknowledged_is_a_duplicate_later(
    redis_server: RedisServer, post: Post
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    desk.gate.clear()
    post.send("a", "b")
    async with running(signals, desk):
        await desk.has(1)
        post.hand.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        desk.gate.set()
        await desk.has(4)
        await until(post.is_settled)
    assert desk.ids == ["a", "b", "a", "b"]
    assert signals.counts == {"taken": 2, "duplicate": 2, "failures": 1}


async def test_a_dead_letter_that_was_not_written_is_written_later(
    redis_server: RedisServer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    desk.gate.clear()
    post.add(data="junk")
    async with running(signals, desk):
        await desk.has(1)
        post.hand.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        desk.gate.set()
        await desk.has(2)
        await until(post.is_settled)
    assert [letter[b"deliveries"] for letter in post.letters()] == [b"2"]
    assert signals.counts == {"refused": 2, "dead": 1, "failures": 1}
    assert not any("dead letters" in line for line in told(caplog))


async def test_a_flush_loses_the_group_and_it_is_made_again(
    redis_server: RedisServer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    desk, pauses = Desk(), Pauses()
    async with running(source(redis_server.url, pauses=pauses), desk):
        post.send("a")
        await desk.has(1)
        await until(post.is_settled)
        redis_server.flush()
        post.send("b")
        await desk.has(2)
        await until(post.is_settled)
        post.hand.do("XGROUP", "DESTROY", STREAM, GROUP)
        post.send("c")
        await until(lambda: "c" in desk.ids and post.is_settled())
    assert desk.ids[:2] == ["a", "b"]
    assert set(pauses.asked) == {0.25}
    assert {line.split(": ")[1] for line in told(caplog)[::2]} <= {"NOGROUP", "UNBLOCKED"}
    assert told(caplog)[1::2] == ["signals from redis come again"] * 2


async def test_a_key_of_the_wrong_kind_is_told_once_and_asked_for_in_pauses(
    redis_server: RedisServer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.hand.do("SET", STREAM, "no stream")
    desk, pauses = Desk(), Pauses()
    async with running(source(redis_server.url, pauses=pauses), desk):
        await until(lambda: len(pauses.asked) >= 4)
        post.hand.do("DEL", STREAM)
        post.send("a")
        await desk.has(1)
        await until(post.is_settled)
    assert pauses.asked[:4] == [0.5, 1, 2, 4]
    wrong, again = told(caplog)
    assert "WRONGTYPE" in wrong
    assert "again" in again


async def test_a_silent_server_is_left_and_dialled_again(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    desk, pauses = Desk(), Pauses()
    signals = source(redis_server.url, pauses=pauses, timeout_seconds=0.05, block_seconds=0.01)
    post = Post(Hand(redis_server.url))
    async with running(signals, desk):
        post.send("a")
        await desk.has(1)
        await until(post.is_settled)
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            await until(lambda: len(pauses.asked) >= 3)
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)
        post.send("b")
        await until(lambda: "b" in desk.ids and post.is_settled())
        post.hand.close()
    assert pauses.asked[:3] == [0.25, 0.5, 1]
    assert told(caplog)[0].startswith("no signals from redis: slow: ")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING"),
        (b"-READONLY You can't write against a read only replica.\r\n", "READONLY"),
        (b"-MISCONF Redis is configured to save RDB snapshots\r\n", "MISCONF"),
        (b"-ERR max number of clients reached\r\n", "ERR"),
        (b"-BUSY Redis is busy running a script.\r\n", "BUSY"),
        (b"+OK\r\n", "garbled"),
        (b"*2\r\n:1\r\n:2\r\n", "garbled"),
        (b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n:1\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "garbled"),
        (None, "down"),
    ],
)
async def test_whatever_answers_is_told_once_and_asked_in_pauses(
    answer: bytes | None, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    pauses, desk = Pauses(), Desk()
    async with (
        impostor(answer) as port,
        running(source(RedisAddress(port=port), pauses=pauses), desk),
    ):
        await until(lambda: len(pauses.asked) >= 4)
    assert pauses.asked[:4] == [0.5, 1, 2, 4]
    assert not desk.taken
    (line,) = told(caplog)
    assert line.startswith(f"no signals from redis: {code}: ")


async def test_a_wrong_password_is_told_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running_server(tmp_path, options=("--requirepass", "another")) as server:
        for hidden, code in ((HIDDEN, "WRONGPASS"), ("", "NOAUTH")):
            caplog.clear()
            pauses = Pauses()
            user = "default" if hidden else ""
            address = RedisAddress(port=server.port, user=user, password=hidden)
            signals = source(address, pauses=pauses)
            async with running(signals, Desk()):
                await until(lambda: len(pauses.asked) >= 2)  # noqa: B023 - within this turn
            (line,) = told(caplog)
            assert line.startswith(f"no signals from redis: {code}: ")
            assert HIDDEN not in caplog.text + repr(signals) + repr(vars(signals))


async def test_a_user_who_may_do_no_more_than_is_needed_is_enough(
    redis_server: RedisServer, post: Post
) -> None:
    needed = (
        "+xgroup|create", "+xreadgroup", "+xack", "+xadd", "+xpending", "+xautoclaim", "+xclaim",
    )  # fmt: skip
    post.hand.do(
        "ACL", "SETUSER", "desk", "on", f">{HIDDEN}", "resetkeys", "~signals:*", "-@all", *needed
    )
    address = RedisAddress(port=redis_server.port, user="desk", password=HIDDEN)
    desk, clock = Desk(), ManualClock(AT)
    try:
        entries = post.send("a")
        post.group()
        post.deliver("dead")
        post.age("dead", 61, *entries)
        async with running(source(address, clock=clock), desk):
            await desk.has(1)
            post.add(data="junk")
            await until(lambda: post.letters() and post.is_settled())
    finally:
        post.hand.do("ACL", "DELUSER", "desk")


async def test_one_that_may_not_make_the_group_says_so_only_if_there_is_none(
    redis_server: RedisServer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.hand.do("ACL", "SETUSER", "desk", "on", f">{HIDDEN}", "~*", "+@all", "-xgroup")
    address = RedisAddress(port=redis_server.port, user="desk", password=HIDDEN)
    desk, pauses = Desk(), Pauses()
    try:
        async with running(source(address, pauses=pauses), desk):
            await until(lambda: pauses.asked)
            post.group()
            post.send("a")
            await desk.has(1)
    finally:
        post.hand.do("ACL", "DELUSER", "desk")
    assert told(caplog)[0].startswith("no signals from redis: NOPERM: ")
    assert "xgroup" in told(caplog)[0]


async def test_a_full_server_still_gives_signals_and_dead_letters_wait(
    redis_server: RedisServer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.group()
    entries = [post.add(data="junk"), *post.send("a"), post.add(data="more junk")]
    desk, clock = Desk(), ManualClock(AT)
    post.hand.do("CONFIG", "SET", "maxmemory", "1")
    try:
        signals = source(redis_server.url, clock=clock, recover_seconds=30)
        async with running(signals, desk):
            await desk.has(3)
            junk = [entries[0], entries[2]]
            await until(lambda: post.pending() == junk)
            clock.advance(30)
            await desk.has(5)
            assert post.pending() == junk
            post.hand.do("CONFIG", "SET", "maxmemory", "0")
            await until(partial(later, clock, post.is_settled))
    finally:
        post.hand.do("CONFIG", "SET", "maxmemory", "0")
    (line,) = told(caplog)
    assert "dead letters cannot be written" in line
    assert "OOM" in line
    assert [letter[b"excerpt"] for letter in post.letters()] == [b"junk", b"more junk"]
    assert signals.counts["taken"] == 1


async def test_while_dead_letters_cannot_be_written_little_is_read_again(
    redis_server: RedisServer, post: Post
) -> None:
    post.hand.do("SET", DEAD, "no stream")
    for _ in range(10):
        post.add(data="junk")
    desk, clock = Desk(), ManualClock(AT)
    async with running(source(redis_server.url, clock=clock, count=2), desk):
        await desk.has(10)
        clock.advance(30)
        await desk.has(12)
        post.send("a")
        await desk.has(13)
        assert desk.ids[-1] == "a"
        await until(lambda: len(post.pending(US)) == 10)
        post.hand.do("DEL", DEAD)
        clock.advance(30)
        await until(post.is_settled)
    assert len(post.letters()) == 10


async def test_it_ends_at_once_when_it_is_cancelled(redis_server: RedisServer) -> None:
    signals = source(redis_server.url, block_seconds=60)
    post = Post(Hand(redis_server.url))
    async with asyncio.timeout(5):
        async with running(signals, Desk()):
            await until(lambda: post.hand.do("INFO", "clients").count(b"blocked_clients:1"))
        post.hand.close()
