"""A taker of signals, an HTTP server that does as it is told, and time that costs nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import Incoming, SignalReply
from tests.invariants.virtual_time import VirtualLoop

T = TypeVar("T")
DONE = SignalReply(outcome=Outcome.ACTED)
LATER = SignalReply(outcome=Outcome.REFUSED, is_final=False)
Respond = Callable[[str], Awaitable[bytes] | bytes]


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a loop whose time passes as fast as there is nothing to do."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def now() -> float:
    """Return the seconds since the loop began, rounded: the wires cost no time."""
    return round(asyncio.get_running_loop().time(), 3)


class Taker:
    """Takes what comes, and answers with one reply after the other, the last for ever."""

    def __init__(self, *replies: SignalReply) -> None:
        self.taken: list[Incoming] = []
        self.times: list[float] = []
        self._replies = list(replies) or [DONE]
        self._came = asyncio.Event()

    async def take(self, incoming: Incoming) -> SignalReply:
        self.taken.append(incoming)
        self.times.append(now())
        self._came.set()
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    async def has(self, count: int) -> list[Incoming]:
        """Wait until so many have come."""
        async with asyncio.timeout(3_600_000):
            while len(self.taken) < count:
                self._came.clear()
                await self._came.wait()
        return self.taken


def http(
    body: bytes | dict[str, Any], *, status: str = "200 OK", kind: str = "application/json",
    extra: str = "", length: int | None = None,
) -> bytes:  # fmt: skip
    """Return an answer of a server."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(raw) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n"
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return f"{head}{extra}Connection: close\r\n\r\n".encode() + raw


class Api:
    """A server on this machine: `respond` makes of a path what is sent; it then hangs up.

    Attributes:
        heads: The requests, as they came.
        times: When they came.
    """

    def __init__(self, respond: Respond) -> None:
        self.heads: list[str] = []
        self.times: list[tuple[float, str]] = []
        self.url = ""
        self._respond = respond

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Api]:
        async with served(self._serve) as self.url:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.heads.append(head)
        self.times.append((now(), path))
        answer = self._respond(path)
        writer.write(answer if isinstance(answer, bytes) else await answer)
        await writer.drain()


@asynccontextmanager
async def served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
) -> AsyncIterator[str]:
    """Serve on this machine for the length of a block; give the address."""
    lines: set[asyncio.Task[None]] = set()

    async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()

    def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(group.create_task(line(reader, writer)))

    try:
        async with asyncio.TaskGroup() as group:
            server = await asyncio.start_server(enter, "127.0.0.1", 0)
            try:
                yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            finally:
                server.close()
                for one in lines:
                    one.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        await asyncio.sleep(0)  # the lines close only now


def prediction(
    signal: str = "BUY", confidence: float | str = 0.82, price: float = 187.32, **more: Any
) -> dict[str, Any]:
    """Return a payload as the first plan shows it."""
    told = {"confidence": confidence, "signal": signal, "stock_price": price, **more}
    return {"prediction": told}


def envelope(**fields: Any) -> dict[str, Any]:
    """Return an envelope, with other fields if so wished; None leaves one out."""
    told = {
        "v": 1, "id": "7f3a", "ts": "2026-11-23T14:30:00Z", "symbol": "AAPL", "action": "BUY",
        "confidence": "0.82", **fields,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}
