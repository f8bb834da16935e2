"""One socket to the gateway: frames in, frames out, and why it ended.

A link lives once: what comes after a loss is a new one, so nothing of the old stream can
leak into the new.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.frames import BrokenFrame, Frame, FrameSplitter, framed

if TYPE_CHECKING:
    from collections.abc import Callable


_ROOM = 16 * 1024  # bytes read at once: a few milliseconds of prices


class Inlet(asyncio.BufferedProtocol):
    """What the event loop knows of a link: the little that it may read at once.

    By itself it reads a quarter of a megabyte before anybody else gets a turn. In a flood of prices
    that is a tenth of a second, and a fill takes several turns from the socket to the books.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._room = memoryview(bytearray(_ROOM))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start; called by the event loop."""
        self._link.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - it hints at more
        """Return where to read to; called by the event loop."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was read; called by the event loop."""
        self._link.data_received(bytes(self._room[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        """End; called by the event loop."""
        self._link.connection_lost(exc)


class Link:
    """A connected socket; `on_frame` takes what comes, `on_lost` is called once, with why."""

    def __init__(
        self, *, on_frame: Callable[[Frame], None], on_lost: Callable[[str], None]
    ) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._splitter = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._reason = ""
        self.is_paused = False
        self.turns = 0  # how often reading was paused or resumed

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection's promise, told to mypy
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass on the frames that `data` completes."""
        try:
            frames = self._splitter.feed(data)
        except BrokenFrame as error:
            self.close(str(error))
            return
        for frame in frames:
            if self._reason:
                return
            self._on_frame(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end."""
        self._transport = None
        self._on_lost(self._reason or (str(exc) if exc else "the gateway closed the connection"))

    def write(self, text: str) -> None:
        """Write one message; on a dead link the bytes go nowhere, as on any socket."""
        if self._transport is not None:
            self._transport.write(framed(text))

    def write_hello(self, versions: str) -> None:
        """Open the conversation, offering protocol versions such as `v157..176`."""
        if self._transport is not None:
            self._transport.write(b"API\0" + framed(versions))

    def pause(self) -> None:
        """Read no more until `resume`: those who listen cannot keep up."""
        if self.is_open and not self.is_paused and self._transport is not None:
            self.is_paused = True
            self.turns += 1
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self.is_paused:
            self.is_paused = False
            self.turns += 1
            if self.is_open and self._transport is not None:
                self._transport.resume_reading()

    def close(self, reason: str) -> None:
        """End the link; what was written before is still sent."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str) -> None:
        """End a dead link at once; nothing waits for the other side."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()
