"""The trader's door: a unix socket on which commands come in.

Nothing that a client does reaches the trader but a well-formed call: garbage, half messages
and silence end the line, a client that does not read is dropped, one that hangs up has its
command cancelled, and there are never more than so many. Those that only watch are counted
apart, so that however many screens are open, a command always gets in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from enum import Enum
from socket import SO_SNDBUF, SOL_SOCKET
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.control import (
    HEADER,
    MOST_ASKED,
    MOST_TOLD,
    PROTOCOL,
    Alive,
    Asked,
    Call,
    Card,
    FrameFault,
    Hello,
    Refused,
    Seen,
    Started,
    Told,
    Yes,
    listen,
    pack,
    peer_uid,
    read_call,
    size_of,
    socket_path,
    take_down,
    write_card,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path
    from socket import socket

    from ibkr_trader.adapters.control import Done, Failed, Message, ToTrader

logger = logging.getLogger(__name__)
MOST_CLIENTS = 16  # besides those that watch
MOST_WATCHERS = 64
CALL_PATIENCE = 5.0  # seconds to say what is wanted
WRITE_PATIENCE = 5.0  # seconds to take an answer
LAST_PATIENCE = 0.2  # the same, when the trader ends
ANSWER_PATIENCE = 600.0  # seconds for a person to make up their mind
HEARTBEAT = 2.0
FAREWELL = 0.5  # seconds for commands that still run when the door closes
_SMALL = 4_096  # bytes that the kernel keeps for a screen: what it holds back is old when read


class HungUp(Exception):
    """The client is gone."""


class _Stage(Enum):
    """How far a client has come."""

    CALLING = "calling"
    WORKING = "working"
    WATCHING = "watching"


class Client:
    """One client with a command under way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._answers: asyncio.Queue[Yes] = asyncio.Queue(maxsize=1)
        self._is_watcher = False

    async def ask(self, question: str, *, is_typed: bool = False) -> str:
        """Have the person at the terminal asked; return once there is an answer: what was typed.

        Raises:
            HungUp: If nobody answers.
        """
        self.send(Asked(question=question, is_typed=is_typed))
        try:
            async with asyncio.timeout(ANSWER_PATIENCE):
                return (await self._answers.get()).typed
        except TimeoutError:
            raise HungUp from None

    def tell(self, text: str, *, is_note: bool = False) -> None:
        """Show a line at the client's terminal."""
        self.send(Told(text=text, is_note=is_note))

    @property
    def has_read(self) -> bool:
        """Whether everything that was sent has left us: nothing waits for the client to read."""
        return self._writer.transport.get_write_buffer_size() == 0

    @property
    def is_watcher(self) -> bool:
        """Whether it is a screen: then `stream` may be used, and little is kept for it."""
        return self._is_watcher

    @is_watcher.setter
    def is_watcher(self, value: bool) -> None:
        self._is_watcher = value
        if value:
            line: socket = self._writer.get_extra_info("socket")
            line.setsockopt(SOL_SOCKET, SO_SNDBUF, _SMALL)

    def stream(self, payload: bytes) -> bool:
        """Show how things stand; False, and nothing is kept, if what came before is unread.

        Raises:
            RuntimeError: If the command is not declared as one that streams.
        """
        if not self._is_watcher:
            raise RuntimeError("a command that streams says so: desk_part(…, streams=True)")
        if self._writer.transport.is_closing() or not self.has_read:
            return False
        self.send(Seen(glimpse=msgspec.Raw(payload)))
        return True

    def send(self, message: Message) -> None:
        """Send without waiting; a client that takes nothing is dropped."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > MOST_TOLD:
            transport.abort()
            return
        self._writer.write(pack(message))

    async def called(self) -> Call:
        """Return what the client wants.

        Raises:
            FrameFault: If it says something else.
            HungUp: If it is gone, or does not say in time.
        """
        try:
            async with asyncio.timeout(CALL_PATIENCE):
                call = await self._receive()
        except TimeoutError:
            raise HungUp from None
        if not isinstance(call, Call):
            raise FrameFault("nothing was asked")
        await asyncio.sleep(0)  # the end of the line is heard only now, if it has come already
        if self._reader.at_eof():
            raise HungUp  # whoever gave us up must not be obeyed later
        return call

    async def _receive(self) -> ToTrader:
        try:
            size = size_of(await self._reader.readexactly(HEADER.size), limit=MOST_ASKED)
            return read_call(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            raise HungUp from None

    async def listen(self) -> None:
        """Take the client's answers until it hangs up; never returns.

        Raises:
            FrameFault, HungUp: At the end of the line.
        """
        while True:
            message = await self._receive()
            if not isinstance(message, Yes) or self._answers.full():
                raise FrameFault("that was not asked")
            self._answers.put_nowait(message)

    async def finish(self, *, patience: float) -> None:
        """Let the client take what it was told, for `patience` seconds, and close the line."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(patience):
                self._writer.close()
                await self._writer.wait_closed()
                return
        self._writer.transport.abort()


class ControlDoor:
    """The door of one trader, from `open` to `close`.

    Args:
        folder: The profile's; whoever opens the door holds its account lock.
        serve: Runs one call; what it raises ends the trader, so it raises nothing.
        version: Of the program.
        since: When the trader started, by the machine's clock.
        watches: Whether a call is of somebody who only watches, until they hang up.
    """

    def __init__(
        self,
        folder: Path,
        *,
        serve: Callable[[Call, Client], Awaitable[Done | Failed]],
        version: str,
        since: datetime,
        watches: Callable[[Call], bool] = lambda _: False,
    ) -> None:
        self._folder = folder
        self._serve = serve
        self._watches = watches
        self._hello = Hello(protocol=PROTOCOL, version=version, pid=os.getpid(), since=since)
        self._lines: dict[asyncio.Task[None], _Stage] = {}
        self._opened, self._closing, self._closed = (asyncio.Event() for _ in range(3))

    async def opened(self) -> None:
        """Wait until clients can come in."""
        await self._opened.wait()

    async def run(self) -> None:
        """Keep the door until `close`, then let those inside finish for a moment.

        Raises:
            ConfigError: If the socket cannot be made, or the file that says where it is.
        """
        path = socket_path(self._folder)
        listener = listen(path)
        try:
            card = Card(pid=os.getpid(), socket=str(path), since=self._hello.since)
            write_card(self._folder, card)  # who comes before the first `Hello` waits for it
            async with asyncio.TaskGroup() as group:
                server = await asyncio.start_unix_server(
                    lambda reader, writer: self._enter(group, reader, writer), sock=listener
                )
                try:
                    self._opened.set()
                    await self._closing.wait()
                finally:
                    self._closing.set()
                    take_down(self._folder, path)
                    server.close()
                await self._see_out()
        finally:
            listener.close()
            self._closed.set()

    async def close(self) -> None:
        """Take no more clients, and wait until those inside have left: for a moment at most."""
        self._closing.set()
        await self._closed.wait()

    async def _see_out(self) -> None:
        for task in self._in(_Stage.WATCHING):
            task.cancel()  # there is nothing that it could finish
        if working := self._in(_Stage.WORKING):
            await asyncio.wait(working, timeout=FAREWELL)
        for task in tuple(self._lines):
            task.cancel()

    def _in(self, stage: _Stage) -> list[asyncio.Task[None]]:
        return [task for task, reached in self._lines.items() if reached is stage]

    def _enter(
        self,
        group: asyncio.TaskGroup,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        line: socket = writer.get_extra_info("socket")
        client = Client(reader, writer)
        inside = len(self._lines) - len(self._in(_Stage.WATCHING))
        if (uid := peer_uid(line)) != os.geteuid():
            logger.warning("a process of uid %s was turned away from the control socket", uid)
            writer.transport.abort()
        elif inside >= MOST_CLIENTS or self._closing.is_set():
            why = f"the trader has {inside} commands under way, and takes no more"
            client.send(Refused(message=why, hint="wait for one of them, then repeat the command"))
            writer.close()
        else:
            task = group.create_task(self._converse(client))
            self._lines[task] = _Stage.CALLING
            task.add_done_callback(self._lines.pop)

    async def _converse(self, client: Client) -> None:
        try:
            client.send(self._hello)
            call = await client.called()
            if self._admit(call, client):
                await self._carry_out(call, client)
        except FrameFault as fault:
            logger.warning("a client of the control socket was sent away: %s", fault.message)
            client.send(Refused(message=f"the trader did not understand: {fault.message}"))
        except HungUp:
            pass
        finally:
            is_late = self._closing.is_set()
            await client.finish(patience=LAST_PATIENCE if is_late else WRITE_PATIENCE)

    def _admit(self, call: Call, client: Client) -> bool:
        """Count the client as what it has turned out to be; False if there are enough of those."""
        task = asyncio.current_task()
        if task is None or not self._watches(call):
            stage = _Stage.WORKING
        elif (watching := len(self._in(_Stage.WATCHING))) >= MOST_WATCHERS:
            why = f"{watching} dashboards watch this trader already, and it takes no more"
            client.send(Refused(message=why, hint="close one of them; commands still get in"))
            return False
        else:
            stage = _Stage.WATCHING
            client.is_watcher = True
        if task is not None:
            self._lines[task] = stage
        return True

    async def _carry_out(self, call: Call, client: Client) -> None:
        """Run the call; the end of the line ends it, wherever it then is."""
        client.send(Started())
        try:
            async with asyncio.TaskGroup() as group:
                watch = [group.create_task(client.listen()), group.create_task(_beat(client))]
                client.send(await self._serve(call, client))
                for task in watch:
                    task.cancel()
        except* (HungUp, FrameFault) as gone:
            raise HungUp from gone


async def _beat(client: Client) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT)
        if client.has_read:  # who has something to read needs no sign of life, and gets no more
            client.send(Alive())
