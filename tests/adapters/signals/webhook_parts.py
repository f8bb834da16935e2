"""A webhook that is open, and somebody who knocks at it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ibkr_trader.adapters.signals.webhook import Webhook, WebhookSettings
from ibkr_trader.execution.tasks import alongside
from tests.adapters.signals.source_parts import Taker, envelope

KEY = b"0123456789abcdef"


class Replied(NamedTuple):
    """What the door said: the status, the headers in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: Any


class Visit:
    """A door, and where to knock."""

    def __init__(self, source: Webhook, taker: Taker, port: int) -> None:
        self.source = source
        self.taker = taker
        self.port = port

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, data: bytes) -> Replied | None:
        """Send bytes, and return what comes back before the line is closed."""
        reader, writer = await self.dial()
        writer.write(data)
        try:
            found = await reader.read()
        except ConnectionError:
            found = b""
        finally:
            writer.close()
        return replied(found) if found else None

    async def post(self, body: bytes | None = None, **headers: str | None) -> Replied:
        """Post an envelope; a header that is None is left out."""
        found = await self.send(self.request(body, **headers))
        assert found is not None
        return found

    def request(self, body: bytes | None = None, **headers: str | None) -> bytes:
        raw = json.dumps(envelope()).encode() if body is None else body
        told = {
            "host": f"127.0.0.1:{self.port}",
            "content_type": "application/json",
            "content_length": str(len(raw)),
            **headers,
        }
        lines = "".join(
            f"{name.replace('_', '-')}: {value}\r\n"
            for name, value in told.items()
            if value is not None
        )
        return f"POST /signals HTTP/1.1\r\n{lines}\r\n".encode() + raw


def replied(data: bytes) -> Replied:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (o.partition(":") for o in lines)}
    assert headers["content-length"] == str(len(body)) or not body
    return Replied(int(first.split(" ")[1]), headers, json.loads(body) if body else None)


@asynccontextmanager
async def visiting(taker: Taker | None = None, **settings: Any) -> AsyncIterator[Visit]:
    """Keep a door open for the length of a block."""
    chosen = {"port": 0, "allow_unsigned": True, **settings}
    source = Webhook(WebhookSettings(**chosen), keys={"k1": KEY})
    taker = taker or Taker()
    try:
        async with alongside(source.run(taker.take)):
            yield Visit(source, taker, await source.opened())
    finally:
        await asyncio.sleep(0)  # the lines close only now
