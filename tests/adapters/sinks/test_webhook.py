"""A real web server is told: signed, in order, and never more than it may know."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.secret_text import NO_SECRET, Secret
from ibkr_trader.adapters.sinks.webhook import (
    SIGNATURE,
    Webhook,
    WebhookSettings,
    signature,
    webhook,
)
from ibkr_trader.core.errors import SinkRefused, SinkUnavailable
from ibkr_trader.execution.egress_lane import EgressRules, Lane
from ibkr_trader.execution.ports import PayloadSink
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.payloads import decode
from tests.adapters.sinks.certificates import make_certificate
from tests.adapters.sinks.http_server import (
    CLOSES,
    HANGS,
    HttpServer,
    answer,
    serving,
    serving_over_tls,
)
from tests.adapters.sinks.samples import payloads
from tests.orders.samples import AT

GOOD = answer(200, body=b"ok")


def hook(
    server: HttpServer, *, key: Secret = NO_SECRET, token: Secret = NO_SECRET, **more: Any
) -> Webhook:
    settings = WebhookSettings(url=server.url, **more)
    return Webhook(settings, key=key, token=token, clock=ManualClock(AT))


async def emit(sink: PayloadSink, count: int = 5) -> None:
    """Tell the sink, and let go of it."""
    try:
        await sink.emit(payloads(count))
    finally:
        await sink.close()


async def test_a_batch_is_one_signed_post() -> None:
    async with serving(GOOD) as server:
        await emit(hook(server, key_id="k1", key=Secret("hunter2"), token=Secret("t0ken")))
    (heard,) = server.heard
    assert (heard.method, heard.target) == ("POST", "/hook")
    document = json.loads(heard.body)
    assert document["v"] == 1
    assert tuple(decode(json.dumps(one)) for one in document["payloads"]) == payloads(5)
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["authorization"] == "Bearer t0ken"
    parts = dict(part.split("=") for part in heard.headers[SIGNATURE.lower()].split(","))
    assert (parts["keyid"], int(parts["t"])) == ("k1", AT.timestamp())
    signed = parts["t"].encode() + b"." + heard.body
    assert parts["v1"] == hmac.new(b"hunter2", signed, hashlib.sha256).hexdigest()


async def test_without_a_key_nothing_is_signed() -> None:
    async with serving() as server:
        await emit(hook(server))
    assert {SIGNATURE.lower(), "authorization"}.isdisjoint(server.heard[0].headers)


def test_a_signature_is_of_the_moment_and_of_every_byte() -> None:
    known = {"key_id": "1", "key": Secret("hunter2"), "seconds": 1_800_000_000}
    made = signature(b"{}", **known)  # type: ignore[arg-type]  # a table of three kinds
    assert made == (
        "keyid=1,t=1800000000,"
        "v1=" + hmac.new(b"hunter2", b"1800000000.{}", hashlib.sha256).hexdigest()
    )
    for change in ({"key": Secret("hunter3")}, {"seconds": 1_800_000_001}):
        assert signature(b"{}", **(known | change)) != made  # type: ignore[arg-type]  # as above
    assert signature(b"{ }", **known) != made  # type: ignore[arg-type]  # as above


async def test_one_connection_serves_again() -> None:
    async with serving(GOOD, answer(204)) as server:
        sink = hook(server)
        for _ in range(3):
            await sink.emit(payloads(2))
        await sink.close()
        await sink.close()  # harmless
        await emit(sink)  # and it may begin again
    assert (len(server.heard), server.connections) == (4, 2)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_good_answer_will_do(status: int) -> None:
    async with serving(answer(status)) as server:
        await emit(hook(server))
    assert len(server.heard) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 499])
async def test_a_refusal_is_for_good(status: int) -> None:
    async with serving(answer(status, body=b"hunter2")) as server:
        with pytest.raises(SinkRefused, match=f"127.0.0.1 answers {status}$"):
            await emit(hook(server))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
async def test_what_may_pass_is_tried_again(status: int) -> None:
    async with serving(answer(status)) as server:
        with pytest.raises(SinkUnavailable, match=f"answers {status}") as caught:
            await emit(hook(server))
    assert not isinstance(caught.value, SinkRefused)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_sent_on_to_another_address(status: int) -> None:
    async with serving() as other, serving(answer(status, ("Location", other.url))) as server:
        with pytest.raises(SinkUnavailable, match="another address"):
            await emit(hook(server))
    assert other.heard == []
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"220 smtp ready\r\n", b"\x15\x03\x01\x00\x02\x02", b"HTTP/1.1 9999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n", CLOSES,
    ],
    ids=["other protocol", "tls", "no status", "endless header", "closed"],
)  # fmt: skip
async def test_garbage_is_no_answer(reply: bytes) -> None:
    async with serving(reply) as server:
        with pytest.raises(SinkUnavailable, match=r"127.0.0.1: \w+") as caught:
            await emit(hook(server, timeout_seconds=0.5))
    assert caught.value.__suppress_context__


async def test_a_good_answer_with_a_body_that_never_ends_is_a_good_answer() -> None:
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    long = answer(200, body=b"x" * 200_000)
    async with serving(endless, long) as server:
        sink = hook(server, timeout_seconds=0.05)
        await sink.emit(payloads(1))
        await sink.emit(payloads(1))
        await sink.close()
    assert len(server.heard) == 2


async def test_one_that_hangs_or_is_not_there_is_tried_again() -> None:
    async with serving(HANGS) as server:
        with pytest.raises(SinkUnavailable, match="ReadTimeout"):
            await emit(hook(server, timeout_seconds=0.05))
        with pytest.raises(TimeoutError):  # and whoever calls may be less patient
            async with asyncio.timeout(0.05):
                await emit(hook(server))
    with pytest.raises(SinkUnavailable, match="ConnectError"):
        await emit(hook(server))


async def test_a_lane_tells_each_batch_until_it_is_taken_or_refused() -> None:
    later = [answer(500), answer(429), HANGS, CLOSES, b"garbage\r\n\r\n"]
    async with serving(*later, GOOD, answer(400), GOOD) as server:
        # Long enough for a machine that is busy: what hangs costs one of these.
        rules = EgressRules(first_pause=0.001, longest_pause=0.001, batch=10, emit_timeout=4)
        lane = Lane(hook(server), rules, clock=ManualClock(AT), say=lambda _: None)
        async with asyncio.timeout(40), alongside(lane.work()):
            for payload in payloads(30):
                lane.put(payload)
            while lane.standing.waiting:
                server.was_asked.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await server.was_asked.wait()
    firsts = [json.loads(one.body)["payloads"][0]["event_id"] for one in server.heard]
    assert firsts == ["0"] * 6 + ["10", "20"]
    assert (lane.standing.sent, lane.standing.refused, lane.standing.waiting) == (20, 10, 0)


async def test_nothing_secret_is_in_a_log_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(answer(200), answer(500)) as server:
        settings = WebhookSettings(url=f"{server.url}/hunter2?k=hunter2")
        with caplog.at_level(logging.DEBUG):
            sink = Webhook(settings, key=Secret("hunter2"), token=Secret("hunter2"))
            await sink.emit(payloads(1))
            for _ in range(2):
                with pytest.raises(SinkUnavailable) as caught:
                    await emit(sink)
                assert "hunter2" not in f"{caught.value!r} {caught.value.hint}"
                server.answers = [CLOSES]
    assert "hunter2" not in caplog.text
    assert server.heard[0].target == "/hook/hunter2?k=hunter2"


async def test_a_proxy_of_somebodys_shell_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as proxy, serving() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        await emit(hook(server))
    assert (len(proxy.heard), len(server.heard)) == (0, 1)


async def test_only_a_certificate_that_is_trusted_will_do(tmp_path: Path) -> None:
    trusted = make_certificate(tmp_path)
    with serving_over_tls(trusted) as server:
        url = f"https://127.0.0.1:{server.server_port}/"
        with pytest.raises(SinkUnavailable, match="ConnectError"):
            await emit(Webhook(WebhookSettings(url=url)))
        assert server.posts == 0
        await emit(Webhook(WebhookSettings(url=url, ca_file=str(trusted))))
        assert server.posts == 1


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "url: it is missing"),
        ({"url": "http://hooks.example/x"}, "url: hooks.example would be talked to in the clear"),
        ({"url": "https://desk:hunter2@hooks.example"}, "url: it has a user or a password"),
        ({"url": "https://hooks.example:hunter2/"}, "url: it cannot be read"),
        ({"url": "https:///hunter2"}, "url: want https://host"),
        ({"url": "https://hooks.example", "key_id": "1,v1=0"}, "key_id: expected `str` matching"),
        ({"url": "https://hooks.example", "timeout_seconds": 0}, "timeout_seconds: expected"),
        ({"url": "https://hooks.example", "key": "hunter2"}, "key: there is no such key; did you"),
        ({"url": "https://hooks.example", "key_env": "DESK_SHORT"}, "key_env: what DESK_SHORT hol"),
        ({"url": "https://hooks.example", "token_env": "DESK_NONE"}, "token_env: the environment"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_key(
    values: dict[str, object], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_SHORT", "hunter2")
    with pytest.raises(ValueError, match=r"^sinks\.webhook\.") as caught:
        webhook(values)
    assert str(caught.value).startswith(f"sinks.webhook.{fault}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"url": "https://hooks.example/x"}, {"url": "http://localhost:1/x"},
        {"url": "http://hooks.example/x", "allow_plain": True},
    ],
)  # fmt: skip
def test_an_address_that_is_safe_is_taken(values: dict[str, object]) -> None:
    assert webhook(values).name == "webhook"


async def test_what_its_variables_hold_signs_and_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "hunter2-hunter2-hunter2")
    monkeypatch.setenv("DESK_TOKEN", "t0ken")
    async with serving(GOOD) as server:
        await emit(webhook({"url": server.url, "key_env": "DESK_KEY", "token_env": "DESK_TOKEN"}))
    (heard,) = server.heard
    assert heard.headers["authorization"] == "Bearer t0ken"
    parts = dict(part.split("=") for part in heard.headers[SIGNATURE.lower()].split(","))
    signed = parts["t"].encode() + b"." + heard.body
    assert parts["v1"] == hmac.new(b"hunter2-hunter2-hunter2", signed, "sha256").hexdigest()
