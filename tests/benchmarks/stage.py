"""An event loop that lives from sample to sample, and what stands on it: gateway, tap, clients.

The gateway is the real one, in a process of its own. Whoever is measured reaches it through a
`Tap`, which notes when the bytes of an order arrive and passes everything on: for all rows
alike, the time ends when another process has the bytes.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.gateway.background import start_background, stop
from tests.benchmarks import tap
from tests.benchmarks.harness import Sample
from tests.benchmarks.tap import CANCEL_ORDER, HOST, PLACE_ORDER

__all__ = [
    "CANCEL_ORDER",
    "HOST",
    "PATIENCE",
    "PLACE_ORDER",
    "Stage",
    "Tap",
    "gateway_process",
    "raw_client",
    "stage",
    "tapped",
]

T = TypeVar("T")
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
PATIENCE = 30.0  # seconds; whatever takes longer is broken, not slow


class Stage:
    """Runs asynchronous samples on one loop, and keeps open what they need."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._hosts: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    def open(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter `context`, in a task of its own that also leaves it, at `close`."""
        loop = self._runner.get_loop()
        opened: asyncio.Future[T] = loop.create_future()
        over = asyncio.Event()

        async def hold() -> None:
            try:
                async with context as value:
                    opened.set_result(value)
                    await over.wait()
            except Exception as error:
                if opened.done():
                    raise
                opened.set_exception(error)

        self._hosts.append((over, loop.create_task(hold())))
        return self.run(opened)

    def run(self, work: Awaitable[T]) -> T:
        """Run `work` to its end."""

        async def bounded() -> T:
            async with asyncio.timeout(PATIENCE):
                return await work

        return self._runner.run(bounded())

    def sample(self, work: Callable[[], Awaitable[float]]) -> Sample:
        """Return a sample that awaits `work`, which times itself; the collector is off."""

        def take() -> float:
            was_on = gc.isenabled()
            gc.disable()
            try:
                return self.run(work())
            finally:
                if was_on:
                    gc.enable()

        return take

    def close(self) -> None:
        """Leave every context, the last one first, and end the loop."""
        try:
            for over, task in reversed(self._hosts):
                over.set()
                self.run(task)
        finally:
            self._runner.close()


@contextmanager
def stage() -> Iterator[Stage]:
    """Set up a stage for the length of the block."""
    one = Stage()
    try:
        yield one
    finally:
        one.close()


@contextmanager
def gateway_process(*, is_durable: bool = False) -> Iterator[int]:
    """Run the gateway simulator in the background and give its port.

    Unless it `is_durable`, its state is kept in memory where the system has such a folder, so
    that its commits do not wait in one line with those that are measured.
    """
    memory = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() and not is_durable else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        info = start_background(state_dir=Path(folder))
        try:
            yield info.port
        finally:
            stop(Path(folder))


class Tap:
    """A way to the gateway, past a server that notes when orders and cancels arrive.

    Attributes:
        port: Where clients connect.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._kind = 0
        self._arrived: asyncio.Future[float] | None = None

    def expect(self, kind: str) -> asyncio.Future[float]:
        """Return when the next message of `kind` reaches the server, as `perf_counter` has it."""
        self._kind, self._arrived = int(kind), asyncio.get_running_loop().create_future()
        return self._arrived

    async def listen(self, notes: asyncio.StreamReader) -> None:
        """Take what the server notes."""
        while True:
            kind, at = tap.NOTE.unpack(await notes.readexactly(tap.NOTE.size))
            if self._arrived is not None and kind == self._kind:
                self._arrived.set_result(at)
                self._arrived = None


@asynccontextmanager
async def tapped(upstream: int = 0) -> AsyncIterator[Tap]:
    """Open a tap before the gateway at port `upstream`; without one the bytes end there."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", tap.__name__, str(upstream), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    port, control = map(int, (await server.stdout.readline()).split())
    reader, writer = await asyncio.open_connection(tap.HOST, control)
    try:
        opened = Tap(port)
        async with alongside(opened.listen(reader)):
            yield opened
    finally:
        writer.close()
        await server.wait()


@asynccontextmanager
async def raw_client(port: int) -> AsyncIterator[asyncio.Transport]:
    """Connect with nothing between us and the socket: the least that can send."""
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, HOST, port)
    transport.write(tap.HELLO)
    try:
        yield transport
    finally:
        transport.close()
