"""Whatever a server does, the answer is a small JSON body, or a reason."""

from __future__ import annotations

import asyncio
import socket

import pytest

from ibkr_trader.adapters.secret_text import NO_SECRET, Secret
from ibkr_trader.adapters.signals.http_fetch import (
    FetchFailed,
    fetching,
)
from tests.adapters.signals.source_parts import Api, Respond, at_once, http, now, served

MOST = 16_384
TOKEN = "t0ps3cret"  # noqa: S105 - nobody's


async def fetch(respond: Respond, path: str = "/x", token: Secret = NO_SECRET) -> bytes:
    async with (
        Api(respond).serving() as api,
        fetching(api.url, seconds=10, most_bytes=MOST, token=token) as get,
    ):
        return await get(path)


def failure(respond: Respond) -> str:
    with pytest.raises(FetchFailed) as caught:
        at_once(fetch(respond))
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) <= 200
    return caught.value.reason


def test_a_body_is_returned_as_it_is() -> None:
    assert at_once(fetch(lambda _: http(b'{"a": 1}'))) == b'{"a": 1}'


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/problem+json"]
)
def test_json_has_several_names(kind: str) -> None:
    assert at_once(fetch(lambda _: http(b"{}", kind=kind))) == b"{}"


def test_what_is_asked_and_with_what() -> None:
    async def ask() -> list[str]:
        api = Api(lambda _: http(b"{}"))
        async with api.serving():
            base = f"{api.url}/v1/"
            token = Secret(TOKEN)
            async with fetching(base, seconds=10, most_bytes=MOST, token=token) as get:
                await get("/predictions/BRK%20B/latest?full=1")
        return api.heads[0].lower().splitlines()

    head = at_once(ask())
    assert head[0] == "get /v1/predictions/brk%20b/latest?full=1 http/1.1"
    assert f"authorization: bearer {TOKEN}" in head
    assert "accept-encoding: identity" in head
    assert "accept: application/json" in head


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(b"{}", status="500 Oh no"), "HTTP 500"),
        (http(b"{}", status="404 Not Found"), "HTTP 404"),
        (http(b"{}", status="429 Slow down"), "HTTP 429"),
        (http(b"", status="204 No Content"), "HTTP 204"),
        (http(b"<p>sign in</p>", kind="text/html"), "the answer is no JSON, but text/html"),
        (http(b"{}", kind="text/json"), "the answer is no JSON, but text/json"),
        (http(b"{}", kind="application/jsonp"), "the answer is no JSON, but application/jsonp"),
        (http(b"{}", kind="image/svg+json"), "the answer is no JSON, but image/svg+json"),
        (http(b"{}", kind=""), "the answer is no JSON, but unnamed"),
        (http(b"{}", extra="Content-Encoding: gzip\r\n"), "the answer is compressed"),
        (http(b'{"a": 1}', length=900), "RemoteProtocolError"),  # hung up in the middle
        (http(b"{}", extra="Content-Length: 7\r\n"), "RemoteProtocolError"),  # two lengths
        (b"", "RemoteProtocolError"),
        (b"HTTP/1.1 200", "RemoteProtocolError"),
        (b"\x00\xff garbage \x1b[31m\r\n\r\n", "RemoteProtocolError"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "RemoteProtocolError"),
        (b"HTTP/1.1 999 \xff\r\n\r\n", "HTTP 999"),
    ],
)
def test_what_is_no_answer_has_a_reason(answer: bytes, reason: str) -> None:
    assert failure(lambda _: answer).startswith(reason)


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_redirect_is_not_followed(status: str) -> None:
    asked = []

    def respond(path: str) -> bytes:
        asked.append(path)
        return http(b"{}", status=f"{status} Over there", extra="Location: /elsewhere\r\n")

    assert failure(respond) == f"HTTP {status}"
    assert asked == ["/x"]


def test_a_dead_server_has_a_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def ask() -> None:
        async with fetching(f"http://127.0.0.1:{port}", seconds=10, most_bytes=MOST) as get:
            await get("/x")

    with pytest.raises(FetchFailed, match="ConnectError"):
        at_once(ask())


def test_silence_ends_in_time() -> None:
    async def silent(_: str) -> bytes:
        await asyncio.sleep(3_600)
        return b""

    async def ask() -> float:
        with pytest.raises(FetchFailed, match="no whole answer within 10 s"):
            await fetch(silent)
        return now()

    assert at_once(ask()) == 10


def test_a_drip_ends_in_time() -> None:
    """Each byte comes in time, and all of them never would."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http(b"", length=10_000))
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(5)

    async def ask() -> float:
        async with (
            served(drip) as url,
            fetching(url, seconds=12, most_bytes=MOST) as get,
        ):
            with pytest.raises(FetchFailed, match="no whole answer within 12 s"):
                await get("/x")
        return now()

    assert at_once(ask()) == 12


def test_ten_megabytes_are_not_read() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(http(b"", length=10_000_000))
        while sent < 10_000_000 and not writer.is_closing():
            writer.write(b" " * 10_000)
            sent += 10_000
            await writer.drain()

    async def ask() -> bytes:
        async with served(flood) as url, fetching(url, seconds=10, most_bytes=MOST) as get:
            return await get("/x")

    assert len(at_once(ask())) == MOST + 1
    assert sent < 10_000_000


def test_so_long_and_no_longer() -> None:
    assert len(at_once(fetch(lambda _: http(b" " * MOST)))) == MOST
    assert len(at_once(fetch(lambda _: http(b" " * (MOST + 1))))) == MOST + 1


def test_the_environment_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert at_once(fetch(lambda _: http(b"{}"))) == b"{}"


def test_a_token_is_never_shown() -> None:
    token = Secret(TOKEN)
    assert TOKEN not in repr(token)
    assert TOKEN not in f"{token} {[token]}"
    with pytest.raises(FetchFailed) as caught:
        at_once(fetch(lambda _: b"garbage\r\n\r\n", token=token))
    assert TOKEN not in caught.value.reason
