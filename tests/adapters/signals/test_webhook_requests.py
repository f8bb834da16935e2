"""What may be asked at the webhook, and by whom: the rest is told which rule it breaks."""

from __future__ import annotations

import pytest

from tests.adapters.signals.source_parts import at_once
from tests.adapters.signals.webhook_parts import Replied, visiting


def asked(data: str, *, expected: int, reaches: bool | None = None) -> Replied:
    """Send a request, its port written as PORT, and see it answered with this status.

    It `reaches` somebody if it is answered with 200, unless otherwise said.
    """

    async def work() -> Replied:
        async with visiting(read_seconds=1) as visit:
            found = await visit.send(data.replace("PORT", str(visit.port)).encode("latin-1"))
            assert found is not None
            assert len(visit.taker.taken) == (expected == 200 if reaches is None else reaches)
            assert visit.source.counts == {str(expected): 1}
            return found

    found = at_once(work())
    assert found.status == expected, found
    return found


def post(**headers: str | None) -> str:
    """A request that is well but for some headers."""
    body = '{"v":1,"id":"a","ts":"2026-11-23T14:30:00Z","symbol":"A","action":"BUY","confidence":1}'
    told = {
        "Host": "127.0.0.1:PORT",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value is not None)
    return f"POST /signals HTTP/1.1\r\n{lines}\r\n{body}"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:PORT", "127.0.0.1", "localhost", "LocalHost:PORT", "[::1]:PORT", "[::1]"]
)
def test_this_machine_is_asked_for_by_its_own_names(host: str) -> None:
    asked(post(Host=host), expected=200)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com", "evil.example.com:PORT", "127.0.0.1.example.com", "127.0.0.1:1", "",
        "localhost.example.com", "0.0.0.0:PORT", "192.168.1.1:PORT", "localhost@evil.com",
        "evil.com@localhost", "127.0.0.1:PORT/x", "127.0.0.1:x", "[::1", "localhost:PORT:1",
        "localhost:99999", "localhost, evil.com", "\xe9",
    ],
)  # fmt: skip
def test_another_name_is_another_s(host: str) -> None:
    """DNS rebinding: a page's own name may lead here, but it stays that page's name."""
    asked(post(Host=host), expected=403)


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "http://127.0.0.1:PORT", ""]
)
@pytest.mark.parametrize("path", ["/signals", "/healthz"])
def test_a_page_has_no_business_here(origin: str, path: str) -> None:
    if path == "/signals":
        found = asked(post(Origin=origin), expected=403)
    else:
        found = asked(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n",
                      expected=403)  # fmt: skip
    assert "access-control-allow-origin" not in found.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": None}, 415),
        ({"Content_Type": "application/jsonp"}, 415),
        ({"Content_Type": "Application/JSON; charset=utf-8"}, 200),
        ({"Content_Length": None}, 411),
        ({"Content_Length": None, "Transfer_Encoding": "chunked"}, 411),
        ({"Transfer_Encoding": "chunked"}, 411),
        ({"Content_Length": "16385"}, 413),
        ({"Content_Length": "99999999999999999999"}, 413),
        ({"Content_Length": "0x10"}, 400),
        ({"Content_Length": "\xb2"}, 400),
    ],
)
def test_what_the_body_will_be_is_known_before_it_is_read(
    headers: dict[str, str | None], status: int
) -> None:
    found = asked(post(**headers), expected=status)
    assert found.headers["content-type"] == "application/json"
    assert status == 200 or found.body["error"]


def test_the_longest_body_fits() -> None:
    short = post().partition("\r\n\r\n")[2]
    body = short + " " * (16_384 - len(short))
    asked(post(Content_Length="16384").replace(short, body), expected=200)


def test_more_than_was_said_is_not_read_as_more() -> None:
    """A length that lies: the rest of the body is no request, and the signal is cut short."""
    asked(post(Content_Length="10"), expected=400, reaches=True)


def test_whoever_asks_whether_to_go_on_is_told_so() -> None:
    asked_for = post(Expect="100-continue")

    async def work() -> bytes:
        async with visiting() as visit:
            head, _, body = asked_for.replace("PORT", str(visit.port)).partition("\r\n\r\n")
            reader, writer = await visit.dial()
            writer.write(f"{head}\r\n\r\n".encode())
            first = await reader.readuntil(b"\r\n\r\n")
            writer.write(body.encode())
            second = await reader.readline()
            writer.close()
            return first + second

    found = at_once(work())
    assert found.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 200 " in found
    refused = asked(post(Expect="100-continue", Content_Length="20000"), expected=413)
    assert refused.status == 413


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /signals", 405), ("PUT /signals", 405), ("DELETE /signals", 405),
        ("OPTIONS /signals", 405), ("POST /healthz", 405), ("get /healthz", 405),
        ("GET /", 404), ("POST /", 404), ("POST /signals/", 404), ("POST /signals?x=1", 404),
        ("POST //signals", 404), ("POST /healthz/../signals", 404), ("GET /metrics", 404),
        ("POST http://127.0.0.1/signals", 404), ("GET /%68ealthz", 404), ("CONNECT a:1", 404),
    ],
)  # fmt: skip
def test_there_are_two_things_to_ask(line: str, status: int) -> None:
    found = asked(f"{line} HTTP/1.1\r\nHost: localhost\r\n\r\n", expected=status)
    assert found.body["error"]


def test_a_head_alone_has_no_body() -> None:
    found = asked("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", expected=405)
    assert found.body is None


def test_the_old_protocol_is_served_if_it_names_the_host() -> None:
    asked(post().replace("HTTP/1.1", "HTTP/1.0"), expected=200)
    asked("GET /healthz HTTP/1.0\r\n\r\n", expected=403)
