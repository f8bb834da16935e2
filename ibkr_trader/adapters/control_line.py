"""A dashboard's end of the control socket: as a command's, without ever blocking the loop.

Who is met, and what a message or a silence means, is decided in `control_client.py` for both.
Every wait has an end: a trader at work says something every other second.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.control import (
    HEADER,
    MOST_TOLD,
    Done,
    Failed,
    FrameFault,
    Yes,
    pack,
    read_card,
    size_of,
)
from ibkr_trader.adapters.control_client import (
    KNOCK_PATIENCE,
    PATIENCE,
    Counterpart,
    LineLost,
    who_is_there,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from ibkr_trader.adapters.control import Call, Card, FromTrader, Message

FAREWELL = 1.0  # seconds for the loop to let go of a line
_AGAIN = 0.05  # seconds until a door whose queue is full is tried again


class ControlLine:
    """A line to a running trader, from `meet` to `hang_up`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, card: Card
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._trader = Counterpart(card)

    @property
    def name(self) -> str:
        """What a message calls the trader."""
        return self._trader.name

    async def meet(self) -> None:
        """Hear the trader's introduction.

        Raises:
            AccountLocked: If it is not our user's, speaks another protocol, or refuses.
            LineLost: If it is gone, or does not answer.
        """
        self._trader.require_ours(self._writer.get_extra_info("socket"))
        self._trader.introduced(await self._hear(KNOCK_PATIENCE))

    async def call(self, call: Call) -> None:
        """Ask the trader to run a command; `messages` tells what becomes of it.

        Raises:
            LineLost: If it is gone.
        """
        await self._send(call)

    async def answer(self, typed: str) -> None:
        """Answer the trader's question with what was typed; nothing typed is a yes.

        Raises:
            LineLost: If it is gone.
        """
        await self._send(Yes(typed=typed))

    async def messages(self) -> AsyncGenerator[FromTrader]:
        """Yield what the trader says, `Done` or `Failed` last.

        Raises:
            AccountLocked: If it refuses the call.
            LineLost: If it is gone, or says nothing for too long.
        """
        while True:
            message = await self._hear(PATIENCE)
            yield message
            if isinstance(message, Done | Failed):
                return

    def puzzled(self, why: str) -> LineLost:
        """Return what it means that what the trader says makes no sense here."""
        return self._trader.lost(FrameFault(why))

    async def hang_up(self) -> None:
        """End the line; a command that still runs is cancelled by that."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(FAREWELL):
                await self._writer.wait_closed()

    async def _send(self, message: Message) -> None:
        self._writer.write(pack(message))
        try:
            async with asyncio.timeout(PATIENCE):
                await self._writer.drain()
        except OSError as error:
            raise self._trader.lost(error) from error

    async def _hear(self, patience: float) -> FromTrader:
        try:
            async with asyncio.timeout(patience):
                head = await self._reader.readexactly(HEADER.size)
                body = await self._reader.readexactly(size_of(head, limit=MOST_TOLD))
        except asyncio.IncompleteReadError as cut:
            raise self._trader.lost(ConnectionResetError()) from cut
        except (OSError, FrameFault) as error:
            raise self._trader.lost(error) from error
        return self._trader.heard(body)


@asynccontextmanager
async def open_line(folder: Path) -> AsyncIterator[ControlLine | None]:
    """Hold a line to the trader of `folder` for the length of the block; None if none runs.

    Raises:
        AccountLocked: If one runs and cannot be talked to.
    """
    line = await _knock(folder)
    try:
        yield line
    finally:
        if line is not None:
            await line.hang_up()


async def _knock(folder: Path) -> ControlLine | None:
    card = read_card(folder)
    if card is None:
        return None
    async with contextlib.AsyncExitStack() as undo:
        try:
            reader, writer = await asyncio.open_unix_connection(sock=await _connected(card))
            line = ControlLine(reader, writer, card)
            undo.push_async_callback(line.hang_up)
            await line.meet()
        except (LineLost, OSError) as error:
            locked = who_is_there(card, error)
            if locked is not None:
                raise locked from error
            return None
        undo.pop_all()
        return line


async def _connected(card: Card) -> socket.socket:
    """Return a socket at the trader's door.

    The loop's own way takes a full queue for a connection, so this is done by hand: at a unix
    socket one is let in at once, or told to come again.

    Raises:
        OSError: If nobody is there, or nobody opens.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        async with asyncio.timeout(KNOCK_PATIENCE):
            while True:
                try:
                    line.connect(card.socket)
                except BlockingIOError:
                    await asyncio.sleep(_AGAIN)
                else:
                    return line
    except BaseException:
        line.close()
        raise
