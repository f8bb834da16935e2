"""A real HTTP server that does as it is told: answers, hangs, lies, or closes the door."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
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


_TURNS = 20  # of the loop: from an accepted connection to the task that talks on it, and more


class HttpServer:
    """Hears requests, and answers each with the next of `answers`; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[bytes] = [answer(204)]
        self.heard: list[Heard] = []
        self.connections = 0
        self.was_asked = asyncio.Event()
        self.url = ""
        self._leaving = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._empty = asyncio.Event()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
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
            writer.transport.abort()  # what a client never read must not keep the socket
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._open.discard(writer)
            if not self._open:
                self._empty.set()

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

    async def leave(self) -> None:
        """Let go of everybody, and wait until they are gone."""
        self._leaving.set()
        for writer in self._open:
            writer.transport.abort()
        while self._open:
            self._empty.clear()
            await self._empty.wait()


@asynccontextmanager
async def serving(*answers: bytes) -> AsyncIterator[HttpServer]:
    """Serve on a port of the system's choice for the length of the block."""
    found = HttpServer()
    if answers:
        found.answers = list(answers)
    server = await asyncio.start_server(found.converse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield found
    finally:
        for _ in range(_TURNS):  # one that is accepted as a server closes is left open by asyncio
            await asyncio.sleep(0)
        server.close()
        await found.leave()
        await server.wait_closed()


class _Polite(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts += 1  # type: ignore[attr-defined]  # of `_Quiet`
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Quiet(http.server.ThreadingHTTPServer):
    """Who ends a handshake is no reason to print a traceback, as asyncio's servers do worse."""

    daemon_threads = True
    posts = 0

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving_over_tls(certificate: Path) -> Iterator[_Quiet]:
    """Serve over TLS, in a thread; `posts` counts what was heard."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, f"{certificate}.key")
    with _Quiet(("127.0.0.1", 0), _Polite) as server:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
