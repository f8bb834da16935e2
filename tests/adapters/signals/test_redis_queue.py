"""Signals from a stream reach the desk in order, and are acknowledged once it is done with them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from socket import gethostname

import msgspec
import pytest

from ibkr_trader.adapters.signals.envelope import read_envelope
from ibkr_trader.adapters.signals.redis_settings import RedisSettings
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.core.enums import SignalAction
from ibkr_trader.core.signals import Claim, Incoming, Malformed, SignalReply
from ibkr_trader.execution.ports import SignalSource
from ibkr_trader.execution.tasks import alongside
from tests.adapters.redis_parts import hand, until
from tests.adapters.signals.queue_parts import (
    AT,
    DEAD,
    DUPLICATE,
    GROUP,
    KEPT,
    KEY,
    KEY_ID,
    STALE,
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
from tests.redis_server import running as server_running

CLAIM = Claim(
    source="redis",
    signal_id="a",
    ticker="AAPL",
    action=SignalAction.BUY,
    confidence=Decimal("0.8"),
    issued_at=AT,
    is_signed=True,
)


async def test_signals_are_handed_over_in_order_and_acknowledged(
    redis_server: RedisServer, post: Post
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    post.send("a", "b")
    async with running(signals, desk):
        await desk.has(2)
        post.send("c")
        await desk.has(3)
        await until(post.is_settled)
    assert desk.taken[0] == CLAIM
    assert desk.ids == ["a", "b", "c"]
    assert signals.counts == {"taken": 3}
    assert post.letters() == []


async def test_the_stream_and_its_group_are_made_if_they_are_missing(
    redis_server: RedisServer, post: Post
) -> None:
    async with running(source(redis_server.url, stream="others", group="theirs"), Desk()):
        await until(lambda: post.hand.do("EXISTS", "others"))
        assert post.hand.do("XINFO", "GROUPS", "others")[0][1] == b"theirs"


async def test_nothing_is_acknowledged_before_the_desk_has_answered(
    redis_server: RedisServer, post: Post
) -> None:
    desk = Desk()
    desk.gate.clear()
    entries = post.send("a", "b")
    async with running(source(redis_server.url), desk):
        await desk.has(1)
        assert post.pending() == entries
        desk.gate.set()
        await until(post.is_settled)
    assert desk.ids == ["a", "b"]


async def test_what_could_not_be_written_down_is_kept_and_holds_up_the_rest(
    redis_server: RedisServer, post: Post
) -> None:
    desk, pauses = Desk(), Pauses()
    signals = source(redis_server.url, pauses=pauses)
    desk.replies["b"] = [KEPT, KEPT, KEPT]
    entries = post.send("a", "b", "c")
    unsettled: list[list[bytes]] = []
    pauses.before = lambda: unsettled.append(post.pending())
    async with running(signals, desk):
        await desk.has(6)
        await until(post.is_settled)
    assert desk.ids == ["a", "b", "b", "b", "b", "c"]
    assert unsettled == [entries] * 3
    assert pauses.asked == [0.25, 0.5, 1.0]
    assert signals.counts == {"taken": 3, "kept": 3}


async def test_pauses_over_what_is_kept_are_bounded_and_begin_anew(
    redis_server: RedisServer, post: Post
) -> None:
    desk, pauses = Desk(), Pauses()
    desk.replies = {"a": [KEPT] * 9, "b": [KEPT]}
    post.send("a", "b")
    async with running(source(redis_server.url, pauses=pauses, claim_after_seconds=20), desk):
        await desk.has(12)
    assert pauses.asked == [0.25, 0.5, 1, 2, 4, 5, 5, 5, 5, 0.25]


async def test_what_is_no_signal_is_told_put_aside_and_done_with(
    redis_server: RedisServer, post: Post
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    junk = b"\x1b[2J" + b"x" * 4_000
    entry = post.add(data=junk)
    forged = post.add(data=envelope("f").replace(b"BUY", b"SHORT"))
    bare = post.add(other="field")
    async with running(signals, desk):
        await desk.has(3)
        await until(lambda: post.is_settled() and len(post.letters()) == 3)
    kinds = [(type(one), one.source, one.signal_id) for one in desk.taken]
    assert kinds == [(Malformed, "redis", ""), (Malformed, "redis", "f"), (Malformed, "redis", "")]
    first, second, third = post.letters()
    assert first[b"id"] == entry
    assert first[b"reason"] == b"malformed"
    assert first[b"deliveries"] == b"1"
    assert first[b"excerpt"] == junk[:1_024]
    assert (second[b"id"], second[b"reason"]) == (forged, b"forged")
    assert b"signature" in second[b"message"]
    assert (third[b"id"], third[b"excerpt"]) == (bare, b"")
    assert b"no field" in third[b"message"]
    assert signals.counts == {"refused": 3, "dead": 3}


async def test_what_is_no_signal_waits_too_if_it_could_not_be_written_down(
    redis_server: RedisServer, post: Post
) -> None:
    desk, pauses = Desk(), Pauses()
    desk.replies[""] = [KEPT]
    post.add(data="junk")
    at_the_pause: list[list[dict[bytes, bytes]]] = []
    pauses.before = lambda: at_the_pause.append(post.letters())
    async with running(source(redis_server.url, pauses=pauses), desk):
        await desk.has(2)
        await until(lambda: post.letters() and post.is_settled())
    assert at_the_pause == [[]]


async def test_what_the_desk_refuses_is_put_aside_with_its_code(
    redis_server: RedisServer, post: Post
) -> None:
    desk, signals = Desk(), source(redis_server.url)
    desk.replies["old"] = [STALE]
    (entry,) = post.send("old")
    async with running(signals, desk):
        await until(lambda: desk.taken and post.is_settled())
    (letter,) = post.letters()
    assert letter == {
        b"reason": b"stale",
        b"message": b"it is; an hour old",
        b"id": entry,
        b"deliveries": b"1",
        b"excerpt": envelope("old"),
    }
    assert signals.counts == {"refused": 1, "dead": 1}


async def test_refusals_need_not_be_put_aside(redis_server: RedisServer, post: Post) -> None:
    desk = Desk()
    desk.replies["old"] = [STALE]
    post.send("old")
    post.add(data="junk")
    async with running(source(redis_server.url, bury_refused=False), desk):
        await desk.has(2)
        await until(lambda: post.letters() and post.is_settled())
    assert [letter[b"reason"] for letter in post.letters()] == [b"malformed"]


async def test_a_duplicate_is_only_acknowledged(redis_server: RedisServer, post: Post) -> None:
    desk, signals = Desk(), source(redis_server.url)
    post.send("a", "a")
    async with running(signals, desk):
        await desk.has(2)
        await until(post.is_settled)
    assert signals.counts == {"taken": 1, "duplicate": 1}
    assert post.letters() == []


async def test_dead_letters_are_bounded(redis_server: RedisServer, post: Post) -> None:
    desk = Desk()
    for number in range(12):
        post.add(data=f"junk {number}")
    async with running(source(redis_server.url, most_dead=5, count=4), desk):
        await desk.has(12)
        await until(post.is_settled)
    assert [letter[b"excerpt"] for letter in post.letters()] == [
        f"junk {number}".encode() for number in range(7, 12)
    ]


async def test_a_signal_without_a_time_has_that_of_its_entry(
    redis_server: RedisServer, post: Post
) -> None:
    def undated(data: bytes) -> Incoming:
        return msgspec.structs.replace(CLAIM, signal_id=data.decode(), issued_at=None)

    desk = Desk()
    post.add(data="a", entry_id="1795444200123-7")
    post.add(data="b", entry_id="18446744073709551610-0")
    async with running(source(redis_server.url, read=undated), desk):
        await desk.has(2)
        await until(post.is_settled)
    dated, timeless = desk.taken
    assert isinstance(dated, Claim)
    assert dated.issued_at == datetime(2026, 11, 23, 14, 30, 0, 123_000, tzinfo=UTC)
    assert isinstance(timeless, Malformed)
    assert (timeless.signal_id, timeless.code) == ("b", "malformed")


async def test_a_signals_own_time_is_kept(redis_server: RedisServer, post: Post) -> None:
    desk = Desk()
    post.send("a", entry_id="5-5")
    async with running(source(redis_server.url), desk):
        await desk.has(1)
    assert desk.taken == [CLAIM]


async def test_nothing_is_read_ahead_of_a_batch(redis_server: RedisServer, post: Post) -> None:
    desk = Desk()
    desk.gate.clear()
    post.send(*(f"{number}" for number in range(50)))
    async with running(source(redis_server.url, count=7), desk):
        await desk.has(1)
        assert len(post.pending()) == 7
        desk.gate.set()
        await until(post.is_settled)
    assert desk.ids == [f"{number}" for number in range(50)]


@pytest.mark.slow
async def test_a_flood_is_taken_in_batches_and_leaves_nothing_behind(
    redis_server: RedisServer, post: Post
) -> None:
    read = cache(partial(read_envelope, source="redis", keys={KEY_ID: KEY}))  # the same two
    desk, signals = Desk(), source(redis_server.url, most_dead=100, read=read)
    good, junk = envelope("g"), b"no signal"
    script = """for i = 1, 10000 do
        redis.call('XADD', KEYS[1], '*', 'data', i % 10 == 0 and ARGV[2] or ARGV[1])
    end"""
    post.hand.do("EVAL", script, 1, STREAM, good, junk)
    most_pending = 0

    async def take(incoming: Incoming) -> SignalReply:
        nonlocal most_pending
        if not len(desk.taken) % 500:
            most_pending = max(most_pending, len(post.pending()))
        return await desk.take(incoming)

    signals_run = signals.run(take)
    async with asyncio.timeout(50), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(signals_run)
        await until(lambda: len(desk.taken) >= 10_000 and post.is_settled())
        task.cancel()
    assert most_pending <= 100
    assert signals.counts == {"taken": 1, "duplicate": 8_999, "refused": 1_000, "dead": 1_000}
    assert len(post.letters()) == 100


async def test_a_fault_of_the_desks_own_is_not_swallowed(
    redis_server: RedisServer, post: Post
) -> None:
    async def broken(incoming: Incoming) -> SignalReply:
        raise ZeroDivisionError

    entries = post.send("a")
    with pytest.raises(ZeroDivisionError):
        await source(redis_server.url).run(broken)
    assert post.pending(US) == entries


async def test_it_is_made_from_its_settings_and_meets_the_port(
    redis_server: RedisServer, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_KEY", KEY.decode())
    table = {"url": redis_server.url, "block_seconds": 0.05, "keys": {KEY_ID: "SIGNING_KEY"}}
    signals: SignalSource = SOURCES["redis"](table)
    desk = Desk()
    post.send("a")
    async with alongside(signals.run(desk.take)):
        await desk.has(1)
        await until(post.is_settled)
        assert post.hand.do("XINFO", "CONSUMERS", STREAM, GROUP)[0][1] == gethostname().encode()
    assert signals.name == "redis"
    assert desk.taken == [CLAIM]


async def test_the_password_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server_running(tmp_path, options=("--requirepass", "open-sesame")) as server:
        monkeypatch.setenv("REDIS_PASSWORD", "open-sesame")
        signals = SOURCES["redis"]({"url": server.url, "password_env": "REDIS_PASSWORD"})
        with hand(server) as one:
            one.do("AUTH", "open-sesame")
            async with alongside(signals.run(Desk().take)):
                await until(lambda: one.do("EXISTS", STREAM))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "redis://u@redis.example.com"}, r"signals\.redis\.url: redis\.example\.com"),
        ({"password_env": "NOWHERE"}, r"signals\.redis\.password_env: the env"),
        ({"keys": {"k1": "NOWHERE"}}, r"signals\.redis\.keys\.k1: the env"),
        ({"cuont": 1}, r"signals\.redis\.cuont: .* did you mean count"),
    ],
)
def test_a_setting_that_is_wrong_is_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        SOURCES["redis"](table)
    assert "word@" not in str(refused.value)


def test_the_parts_are_what_they_are_called() -> None:
    assert (RedisSettings().stream, RedisSettings().dead) == (STREAM, DEAD)
    assert DUPLICATE.code == "duplicate"
