"""A real Redis is told, dies, comes back, and is never told a secret too many."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import redis

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.redis_address import RedisAddress, read_address
from ibkr_trader.adapters.sinks.redis_streams import (
    RedisStreams,
    RedisStreamsSettings,
    redis_streams,
)
from ibkr_trader.core.errors import SinkUnavailable
from ibkr_trader.execution.egress_lane import EgressRules, Lane
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.payloads import Topic, decode, topic_of
from tests.adapters.redis_parts import impostor
from tests.adapters.sinks.certificates import make_certificate
from tests.adapters.sinks.samples import payloads
from tests.orders.samples import AT
from tests.redis_server import RedisServer, running

HIDDEN = "swordfish-swordfish"


def read(server: RedisServer, topic: str, **more: Any) -> list[dict[str, str]]:
    """Return the entries of a stream, as another client sees them."""
    with redis.Redis.from_url(server.url, decode_responses=True, **more) as client:
        return [fields for _, fields in client.xrange(topic)]


def sink_for(server: RedisServer, *, password: str = "", **more: Any) -> RedisStreams:
    return sink_at(server.url, password=password, **more)


def sink_at(url: str, *, password: str = "", ca_file: str = "", **more: Any) -> RedisStreams:
    address = read_address(url, password=password, ca_file=ca_file)
    return RedisStreams(RedisStreamsSettings(**more), address=address)


async def test_each_payload_is_an_entry_of_its_stream(redis_server: RedisServer) -> None:
    sink, told = sink_for(redis_server), payloads(10)
    await sink.emit(told[:7])
    await sink.emit(told[7:])
    await sink.close()
    for topic in Topic:
        mine = [one for one in told if topic_of(one) is topic]
        entries = read(redis_server, topic)
        assert [decode(one["payload"]) for one in entries] == mine
        assert [one["event_id"] for one in entries] == [one.event_id for one in mine]
        assert {(one["type"], one["v"]) for one in entries} == {
            (type(one).__name__, "1") for one in mine
        }


async def test_a_unix_socket_and_a_prefix_will_do(redis_server: RedisServer) -> None:
    sink = sink_at(redis_server.socket_url, prefix="paper:")
    await sink.emit(payloads(5))
    await sink.close()
    assert len(read(redis_server, "paper:positions:stream")) == 2
    assert read(redis_server, "positions:stream") == []


async def test_a_stream_is_capped(redis_server: RedisServer) -> None:
    sink = sink_for(redis_server, most=10)
    for first in range(0, 3_000, 500):
        await sink.emit(payloads(500, first=first))
    await sink.close()
    assert 10 <= len(read(redis_server, Topic.PNL)) < 300
    assert read(redis_server, Topic.PNL)[-1]["event_id"] == "2998"


async def test_one_that_is_gone_is_told_again_when_it_is_back(redis_server: RedisServer) -> None:
    sink = sink_for(redis_server)
    await sink.emit(payloads(1))
    redis_server.kill()
    for _ in range(2):
        with pytest.raises(SinkUnavailable, match=r"(?i)connect"):
            await sink.emit(payloads(1, first=1))
    redis_server.restart()
    await sink.emit(payloads(1, first=1))
    await sink.close()
    assert [one["event_id"] for one in read(redis_server, Topic.POSITIONS)] == ["1"]


async def test_a_lane_outlives_a_server_that_is_killed(redis_server: RedisServer) -> None:
    """The whole way: nothing is lost but what the server itself forgot, and the order stays."""
    rules = EgressRules(first_pause=0.01, longest_pause=0.01, batch=10, farewell=10)
    said: list[str] = []
    changed = asyncio.Event()

    def say(words: str) -> None:
        said.append(words)
        changed.set()

    lane = Lane(sink_for(redis_server), rules, clock=ManualClock(AT), say=say)
    told = payloads(200)
    redis_server.kill()
    async with asyncio.timeout(20), alongside(lane.work()):
        for payload in told:
            lane.put(payload)
        await changed.wait()
        changed.clear()
        redis_server.restart()
        await changed.wait()
    assert [words.split(":")[0] for words in said] == [
        "redis is down",
        "redis is told again what happens",
    ]
    mine = [one.event_id for one in told if topic_of(one) is Topic.POSITIONS]
    # What was on its way when the end came is told again: at least once, by the same id.
    ids = dict.fromkeys(one["event_id"] for one in read(redis_server, Topic.POSITIONS))
    assert list(ids) == mine


async def test_one_that_hangs_is_given_up_and_the_next_attempt_is_clean(
    redis_server: RedisServer,
) -> None:
    sink = sink_for(redis_server)
    await sink.emit(payloads(1))
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await sink.emit(payloads(2, first=1))
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    await sink.emit(payloads(2, first=3))
    await sink.close()
    ids = [one["event_id"] for one in read(redis_server, Topic.SIGNALS)]
    assert ids == ["0", "4"]
    # What was on its way when it was given up may have come through all the same.
    ids = [one["event_id"] for one in read(redis_server, Topic.POSITIONS)]
    assert ids in ([], ["1", "2"])


async def test_an_attempt_is_one_attempt() -> None:
    """Who calls repeats, with pauses: a library that did so too would tell things twice."""
    seen = 0

    async def slam(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        writer.close()

    async with await asyncio.start_server(slam, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sink = sink_at(f"redis://127.0.0.1:{port}")
        with pytest.raises(SinkUnavailable):
            await sink.emit(payloads(1))
        await sink.close()
    assert seen == 1


async def test_a_stream_that_is_something_else_is_said(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set(Topic.PNL, "mine")
    sink = sink_for(redis_server)
    with pytest.raises(SinkUnavailable, match="WRONGTYPE"):
        await sink.emit(payloads(5))
    await sink.close()
    await sink.close()  # harmless


async def test_a_password_opens_and_is_never_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, options=("--requirepass", HIDDEN)) as server:
        sink = sink_for(server, password=HIDDEN)
        await sink.emit(payloads(5))
        await sink.close()
        assert len(read(server, Topic.PNL, password=HIDDEN)) == 1
        with caplog.at_level(logging.DEBUG):
            desk = server.url.replace("127", "desk@127")
            for url, wrong in ((server.url, ""), (server.url, "hunter2"), (desk, "hunter2")):
                other = sink_at(url, password=wrong)
                with pytest.raises(SinkUnavailable, match=r"(?i)auth|password") as caught:
                    await other.emit(payloads(1))
                assert "hunter2" not in f"{caught.value} {caught.value!r} {caplog.text}"
                assert caught.value.__cause__ is None


async def test_over_tls_only_a_certificate_that_is_trusted_will_do(tmp_path: Path) -> None:
    trusted = make_certificate(tmp_path)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    words = f"--tls-port {port} --tls-cert-file {trusted} --tls-key-file {trusted}.key"
    tls = (*words.split(), "--tls-ca-cert-file", str(trusted), "--tls-auth-clients", "no")
    with running(tmp_path, options=tls) as server:
        url = f"rediss://127.0.0.1:{port}/0"
        sink = sink_at(url)
        with pytest.raises(SinkUnavailable, match=r"(?i)certificate"):
            await sink.emit(payloads(5))
        assert read(server, Topic.PNL) == []
        sink = sink_at(url, ca_file=str(trusted))
        await sink.emit(payloads(5))
        await sink.close()
        assert len(read(server, Topic.PNL)) == 1


@pytest.mark.parametrize("before", range(470, 502, 4))
async def test_no_part_of_the_password_is_quoted_where_words_are_cut(before: int) -> None:
    """Long words are cut: what is hidden after the cut would leave the beginning of a secret."""
    repeats = f"-ERR {'x' * before} {HIDDEN}\r\n".encode()
    async with impostor(repeats) as port:
        address = RedisAddress(port=port, password=HIDDEN)
        sink = RedisStreams(RedisStreamsSettings(), address=address)
        with pytest.raises(SinkUnavailable) as caught:
            await sink.emit(payloads(1))
        await sink.close()
    assert "x" * 100 in str(caught.value)
    assert HIDDEN[:3] not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"url": "redis://redis.example:6379/0"}, "url: redis.example would be asked in the clear"),
        ({"url": "redis://10.0.0.7"}, "url: 10.0.0.7 would be asked in the clear"),
        ({"url": "redis://desk:hunter2@127.0.0.1"}, "url: it has a password in it"),
        ({"url": "rediss://:hunter2@redis.example"}, "url: it has a password in it"),
        ({"url": "rediss://redis.example/0?ssl_cert_reqs=none"}, "url: it has options"),
        ({"url": "http://127.0.0.1"}, "url: it names no server"),
        ({"url": "redis://127.0.0.1:hunter2"}, "url: it cannot be read"),
        ({"most": 0}, "most: expected `int` >= 1"),
        ({"password": "hunter2"}, "password: there is no such key; did you mean password_env?"),
        ({"password_env": "hunter2"}, "password_env: the environment has no variable"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_key(values: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=r"^sinks\.redis_streams\.") as caught:
        redis_streams(values)
    assert str(caught.value).startswith(f"sinks.redis_streams.{fault}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://localhost", "redis://[::1]:1/2", "rediss://u@r.example"])
def test_an_address_that_is_safe_is_taken(url: str) -> None:
    assert redis_streams({"url": url}).name == "redis"
