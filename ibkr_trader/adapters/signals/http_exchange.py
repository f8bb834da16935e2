"""One HTTP request and its answer, for a door that strangers knock at.

h11 knows the protocol and does no I/O; here are the bytes, and the limits on them. A line
serves one request, and is then closed: what comes behind it is not read as another.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h11

_MOST_HEAD = 8_192
_CHUNK = 4_096
_MOST_LINGER = 65_536  # bytes that are read and forgotten, so that the answer is not lost
_SHOWN = 200


class Refusal(Exception):
    """The request is not answered as asked, but with a status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class HungUp(Exception):
    """The other side is gone: there is nobody to answer."""


class Exchange:
    """The conversation on one line: `head`, `body`, `answer`, each once and in this order.

    Args:
        reader: What comes.
        writer: What goes.
        seconds: How long all of the request may take to come, and its answer to be taken.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, seconds: float
    ) -> None:
        import h11  # noqa: PLC0415 - who has no webhook does not load it

        self._h11 = h11
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEAD)
        self._reader = reader
        self._writer = writer
        self._seconds = seconds
        self._wants_body = True
        self._deadline = asyncio.get_running_loop().time() + seconds

    async def head(self) -> h11.Request:
        """Return the request without its body.

        Raises:
            Refusal: If it is none.
            HungUp: If nothing comes any more.
        """
        event = await self._next()
        if not isinstance(event, self._h11.Request):
            raise HungUp
        self._wants_body = event.method != b"HEAD"
        return event

    async def body(self, most: int) -> bytes:
        """Return the body, once all of it is there; it is not longer than `most`.

        Raises:
            Refusal: If it is too long, or no HTTP.
            HungUp: If the rest of it never comes.
        """
        if self._protocol.they_are_waiting_for_100_continue:
            go_on = self._h11.InformationalResponse(status_code=100, headers=[])
            self._writer.write(self._protocol.send(go_on) or b"")
        found = bytearray()
        while True:
            event = await self._next()
            if isinstance(event, self._h11.EndOfMessage):
                return bytes(found)
            if not isinstance(event, self._h11.Data):
                raise HungUp
            found += event.data
            if len(found) > most:
                raise Refusal(413, f"the body has more than {most} bytes")

    async def answer(
        self, status: int, body: bytes, *, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer, with JSON unless the headers say otherwise, and close the line."""
        told = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Connection": "close",
            **(headers or {}),
        }
        response = self._h11.Response(status_code=status, headers=list(told.items()))
        data = self._h11.Data(data=body if self._wants_body else b"")
        for event in (response, data, self._h11.EndOfMessage()):
            self._writer.write(self._protocol.send(event) or b"")
        with contextlib.suppress(OSError):  # they are gone, or take too long over it
            async with asyncio.timeout(self._seconds):
                await self._writer.drain()
                await self._linger()

    async def _next(self) -> object:
        while True:
            try:
                event = self._protocol.next_event()
            except self._h11.RemoteProtocolError as error:
                raise Refusal(error.error_status_hint, plain(str(error), limit=_SHOWN)) from None
            if event is not self._h11.NEED_DATA:
                return event
            try:
                async with asyncio.timeout_at(self._deadline):
                    data = await self._reader.read(_CHUNK)
            except TimeoutError:
                raise Refusal(408, f"the request was not whole in {self._seconds:g} s") from None
            except OSError:
                raise HungUp from None
            if not data:
                raise HungUp
            self._protocol.receive_data(data)

    async def _linger(self) -> None:
        """Take what they still send: a line that is closed over it loses them the answer."""
        read = 0
        self._writer.write_eof()
        while read < _MOST_LINGER and (data := await self._reader.read(_CHUNK)):
            read += len(data)
