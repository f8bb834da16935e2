"""Whoever knocks, and however: the door does what it should, and stays open."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.adapters.signals.webhook import Webhook, WebhookSettings
from ibkr_trader.execution.tasks import alongside
from tests.adapters.signals.source_parts import Taker, at_once, now
from tests.adapters.signals.webhook_parts import Visit, visiting

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def is_well(visit: Visit) -> bool:
    """Whether the door still takes a signal."""
    before = len(visit.taker.taken)
    found = await visit.post()
    return found.status == 200 and len(visit.taker.taken) == before + 1


def test_nobody_outside_this_machine_gets_in() -> None:
    async def work() -> set[str]:
        async with visiting() as visit:
            sockets = [one for one in socket_names() if one[1] == visit.port]
            assert sockets
            return {one[0] for one in sockets}

    def socket_names() -> list[tuple[str, int]]:
        loop = asyncio.get_running_loop()
        keys = loop._selector.get_map().values()  # type: ignore[attr-defined] # what is listened at
        files = [key.fd for key in keys]
        found = []
        for file in files:
            try:
                with socket.socket(fileno=socket.dup(file)) as one:
                    if one.family == socket.AF_INET:
                        found.append(one.getsockname())
            except OSError:
                continue
        return found

    assert at_once(work()) == {"127.0.0.1"}


def test_somebody_silent_is_sent_away_in_time() -> None:
    async def work() -> tuple[bytes, float]:
        async with visiting(read_seconds=5) as visit:
            reader, writer = await visit.dial()
            found = await reader.read()
            ended = now()
            writer.close()
            assert await is_well(visit)
            return found, ended

    found, ended = at_once(work())
    assert found.startswith(b"HTTP/1.1 408 ")
    assert ended == 5


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_drip_is_sent_away_in_time(part: str) -> None:
    async def work() -> tuple[bytes, float]:
        async with visiting(read_seconds=5) as visit:
            reader, writer = await visit.dial()
            request = visit.request(b" " * 1_000)
            start = 0 if part == "head" else request.index(b"\r\n\r\n") + 4
            writer.write(request[:start])

            async def drip() -> None:
                for at in range(start, len(request)):
                    writer.write(request[at : at + 1])
                    await asyncio.sleep(1)

            async with alongside(drip()):
                found = await reader.read()
            ended = now()
            writer.close()
            assert await is_well(visit)
            return found, ended

    found, ended = at_once(work())
    assert found.startswith(b"HTTP/1.1 408 ")
    assert ended == 5


def test_half_a_request_is_none() -> None:
    async def work() -> None:
        async with visiting() as visit:
            whole = visit.request()
            for at in (1, 30, len(whole) - 1):
                reader, writer = await visit.dial()
                writer.write(whole[:at])
                writer.write_eof()
                assert await reader.read() == b""
                writer.close()
            assert visit.taker.taken == []
            assert await is_well(visit)

    at_once(work())


def test_a_thousand_who_only_connect_do_no_harm() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2_500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096), hard))

    async def work() -> tuple[int, int]:
        async with visiting(max_connections=8, read_seconds=5) as visit:
            lines = [await visit.dial() for _ in range(1_000)]
            busy = await visit.send(visit.request())
            inside = visit.source._door._inside
            for _, writer in lines:
                writer.transport.abort()
            await asyncio.sleep(30)
            assert visit.source._door._inside == 0
            assert await is_well(visit)
            return inside, busy.status if busy else 503

    assert at_once(work()) == (8, 503)


def test_what_is_sent_behind_a_request_is_no_other_request() -> None:
    async def work() -> int:
        async with visiting() as visit:
            found = await visit.send(visit.request() * 5)
            assert found is not None
            assert found.status == 200
            return len(visit.taker.taken)

    assert at_once(work()) == 1


def test_somebody_who_does_not_read_the_answer_is_left() -> None:
    async def work() -> float:
        async with visiting(read_seconds=5) as visit:
            _, writer = await visit.dial()
            writer.write(visit.request())
            while visit.source._door._inside or not visit.taker.taken:  # noqa: ASYNC110 - its end
                await asyncio.sleep(0.5)
            ended = now()
            writer.close()
            assert await is_well(visit)
            return ended

    assert at_once(work()) <= 6


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100, b"\xff\xfe\r\n\r\n", b"\r\n" * 3, b"SSH-2.0-x\r\n\r\n", b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,  # TLS
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"POST /signals HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /signals HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n",
        b"POST /signals HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /signals HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /signals HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=lambda data: repr(data[:40]),
)  # fmt: skip
def test_garbage_is_answered_as_such_or_not_at_all(data: bytes) -> None:
    async def work() -> int:
        async with visiting(read_seconds=1) as visit:
            found = await visit.send(data)
            assert visit.taker.taken == []
            assert await is_well(visit)
            return found.status if found else 400

    assert at_once(work()) in {400, 403, 404, 408, 431}


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_no_garbage_reaches_anybody(data: bytes) -> None:
    async def work() -> None:
        async with visiting(read_seconds=1) as visit:
            await visit.send(data)
            assert visit.taker.taken == []
            assert await is_well(visit)

    at_once(work())


def test_a_port_that_is_taken_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> float:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            source = Webhook(WebhookSettings(port=port, allow_unsigned=True), keys={})
            async with alongside(source.run(Taker().take, say=said.append)):
                await asyncio.sleep(100)
                other.close()
                assert await source.opened() == port
                return now()

    said: list[str] = []

    assert 100 < at_once(work()) <= 161
    (message,) = caplog.messages
    assert "cannot be listened at: " in message
    trouble, again = said
    assert trouble.startswith("signals of webhook do not come: port ")
    assert again == "signals of webhook come again"


def test_when_it_closes_everybody_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "asyncio")

    async def work() -> None:
        async with visiting() as visit:
            lines = [await visit.dial() for _ in range(5)]
            lines[0][1].write(visit.request()[:40])
            await asyncio.sleep(1)
        for reader, writer in lines:
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        with pytest.raises(ConnectionError):
            await visit.dial()

    at_once(work())
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
