"""A real HTTP server that does as it is told: answers, hangs, lies, or closes the door."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import h11

HANGS, CLOSES = b"", b"CLOSE"


class Heard(NamedTuple):
    """One request as the server had it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    """Return a plain answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class HttpServer:
    """Hears requests, and answers each with the next of `answers`; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[bytes] = [answer(204)]
        self.heard: list[Heard] = []
        self.connections = 0
        self.was_asked = asyncio.Event()
        self.url = ""
        self._leaving = asyncio.Event()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await self._request(reader)) is not None:
                self.heard.append(request)
                self.was_asked.set()
                reply = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if reply == CLOSES:
                    return
                if reply == HANGS:
                    await self._leaving.wait()
                    return
                writer.write(reply)
                await writer.drain()
        except (ConnectionError, h11.RemoteProtocolError):
            return
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Heard | None:
        talk, head, body = h11.Connection(h11.SERVER), None, b""
        while True:
            match event := talk.next_event():
                case h11.NEED_DATA:
                    data = await reader.read(65_536)
                    if not data:
                        return None
                    talk.receive_data(data)
                case h11.Request():
                    head = event
                case h11.Data():
                    body += bytes(event.data)
                case h11.EndOfMessage() if head is not None:
                    headers = {name.decode(): value.decode() for name, value in head.headers}
                    return Heard(head.method.decode(), head.target.decode(), headers, body)
                case _:
                    return None

    def leave(self) -> None:
        """Let go of everybody who was left hanging."""
        self._leaving.set()


@asynccontextmanager
async def serving(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpServer]:
    """Serve on a port of the system's choice for the length of the block."""
    found = HttpServer()
    if answers:
        found.answers = list(answers)
    server = await asyncio.start_server(found.converse, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    found.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook"
    try:
        yield found
    finally:
        found.leave()
        server.close()
        await server.wait_closed()
