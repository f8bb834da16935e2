"""One request and one answer, whoever the door belongs to."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

from ibkr_trader.adapters.signals.health import Health, nobody
from ibkr_trader.adapters.signals.http_door import Answer, Door
from ibkr_trader.adapters.signals.http_exchange import Exchange
from ibkr_trader.execution.tasks import alongside
from tests.adapters.signals.source_parts import at_once, now

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"


async def echo(exchange: Exchange) -> Answer:
    await exchange.head()
    return Answer(status=200, body=await exchange.body(10))


async def said(data: bytes) -> bytes:
    """Send bytes to a door that echoes bodies of ten bytes at most; return what comes back."""
    door = Door(port=0, lines=4, seconds=5, sleep=asyncio.sleep)
    async with alongside(door.run(echo, health=Health("door", say=nobody))):
        reader, writer = await asyncio.open_connection("127.0.0.1", await door.opened())
        writer.write(data)
        found = await reader.read()
        writer.close()
        await asyncio.sleep(1)
    return found


def test_a_body_in_pieces_is_put_together() -> None:
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n"
    assert at_once(said(data)).endswith(b"\r\n\r\nabcdefghij")


def test_a_body_that_does_not_say_how_long_it_is_has_a_limit_too() -> None:
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n"
    assert at_once(said(data)).startswith(b"HTTP/1.1 413 ")


def test_a_line_that_breaks_is_no_request() -> None:
    ends: list[str] = []

    async def listen(exchange: Exchange) -> Answer:
        try:
            return await echo(exchange)
        except Exception as error:
            ends.append(type(error).__name__)
            raise

    async def work() -> float:
        door = Door(port=0, lines=4, seconds=5, sleep=asyncio.sleep)
        async with alongside(door.run(listen, health=Health("door", say=nobody))):
            _, writer = await asyncio.open_connection("127.0.0.1", await door.opened())
            writer.write(HEAD + b"Content-Length: 9\r\n\r\nabc")
            await asyncio.sleep(1)
            line: socket.socket = writer.get_extra_info("socket")
            # Closed with nothing to linger for, it is reset.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            await asyncio.sleep(1)
            return now()

    assert at_once(work()) == 2
    assert ends == ["HungUp"]


def test_an_answer_that_nobody_reads_is_given_up_in_time() -> None:
    async def flood(exchange: Exchange) -> Answer:
        await exchange.head()
        return Answer(status=200, body=b"x" * 50_000_000)

    async def work() -> float:
        door = Door(port=0, lines=4, seconds=5, sleep=asyncio.sleep)
        async with alongside(door.run(flood, health=Health("door", say=nobody))):
            reader, writer = await asyncio.open_connection("127.0.0.1", await door.opened())
            writer.write(HEAD + b"\r\n")
            await asyncio.sleep(1)
            while door._inside:  # noqa: ASYNC110 - the door tells nobody
                await asyncio.sleep(1)
            ended = now()
            with suppress(ConnectionError):
                assert len(await reader.read()) < 50_000_000
            writer.close()
        return ended

    assert 5 <= at_once(work()) <= 7
