"""A port of this machine at which requests come in: so many at once, and none for long.

Whoever connects may send nothing, or garbage, or a byte now and then: that line ends in time,
and harms nobody but itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.signals.http_exchange import Exchange, HungUp, Refusal
from ibkr_trader.core.pauses import growing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ibkr_trader.adapters.signals.health import Health

logger = logging.getLogger(__name__)
HOST = "127.0.0.1"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
    b"Retry-After: 1\r\nContent-Length: 0\r\n\r\n"
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is answered: JSON, unless the headers say otherwise."""

    status: int
    body: bytes
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


class Door:
    """Lets requests in while it runs.

    Args:
        port: Where; 0 takes any that is free.
        lines: How many may be inside at once.
        seconds: How long a request may take to come, and its answer to be taken.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self, *, port: int, lines: int, seconds: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._port = port
        self._most = lines
        self._seconds = seconds
        self._sleep = sleep
        self._inside = 0
        self._is_open = asyncio.Event()

    @property
    def port(self) -> int:
        """Where it is, once it is open."""
        return self._port

    async def opened(self) -> int:
        """Wait until requests can come in, and return the port."""
        await self._is_open.wait()
        return self._port

    async def run(
        self, respond: Callable[[Exchange], Awaitable[Answer]], *, health: Health | None = None
    ) -> None:
        """Have every request answered by `respond`, for ever.

        `respond` may raise `Refusal`, which is told, and `HungUp`, which ends the line.
        `health`, if there is one, is told of a port that cannot be had; the log is in any case.
        """
        async with asyncio.TaskGroup() as group:
            server = await self._server(
                lambda reader, writer: self._enter(reader, writer, group=group, respond=respond),
                health,
            )
            try:
                self._port = server.sockets[0].getsockname()[1]
                self._is_open.set()
                await asyncio.Event().wait()
            finally:
                self._is_open.clear()
                server.close()

    async def _server(
        self,
        enter: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None],
        health: Health | None,
    ) -> asyncio.Server:
        """Listen, as soon as the port can be had."""
        failures = 0
        while True:
            try:
                server = await asyncio.start_server(enter, HOST, self._port)
            except OSError as error:
                failures += 1
                if failures == 1:
                    told = "port %s cannot be listened at: %s; it is tried again"
                    logger.error(told, self._port, error.strerror)  # noqa: TRY400 - that is all
                if health is not None:
                    health.worsen(f"port {self._port} cannot be listened at: {error.strerror}")
            else:
                if health is not None:
                    health.mend()
                return server
            await self._sleep(growing(failures, first=_FIRST_PAUSE, most=_LONGEST_PAUSE))

    def _enter(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        group: asyncio.TaskGroup,
        respond: Callable[[Exchange], Awaitable[Answer]],
    ) -> None:
        if self._inside >= self._most or not self._is_open.is_set():
            writer.write(_BUSY)
            writer.close()
            return
        self._inside += 1
        group.create_task(self._converse(reader, writer, respond))

    async def _converse(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        respond: Callable[[Exchange], Awaitable[Answer]],
    ) -> None:
        try:
            exchange = Exchange(reader, writer, seconds=self._seconds)
            try:
                answer = await respond(exchange)
            except Refusal as refusal:
                answer = refused(refusal.status, refusal.message)
            await exchange.answer(answer.status, answer.body, headers=answer.headers)
        except HungUp:
            pass
        finally:
            self._inside -= 1
            writer.transport.abort()  # whatever could be delivered has been


def refused(status: int, message: str, **headers: str) -> Answer:
    """Return the answer to a request that is not one."""
    return Answer(status=status, body=msgspec.json.encode({"error": message}), headers=headers)
