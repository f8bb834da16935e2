"""One thing at a time for each symbol: what rules decide is carried out in turn.

Whoever asks may go away meanwhile (a client hangs up, a source is restarted): the work goes on,
for it belongs to the trader. Symbols share a few lanes, so one that waits for the broker delays
few others, and nothing is started without limit.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
Job = Callable[[], Awaitable[None]]

LANES = 4
MOST_WAITING = 250  # jobs in one lane


class Turns:
    """The lanes of one trader; `work` owns them."""

    def __init__(self, *, lanes: int = LANES, limit: int = MOST_WAITING) -> None:
        self._lanes: list[asyncio.Queue[Job]] = [asyncio.Queue(limit) for _ in range(lanes)]
        self._waiting: set[asyncio.Future[Any]] = set()

    def offer(self, symbol: str, job: Job) -> bool:
        """Have `job` done when it is its turn; False if too many wait already."""
        try:
            self._lane(symbol).put_nowait(job)
        except asyncio.QueueFull:
            return False
        return True

    async def ask(self, symbol: str, job: Callable[[], Awaitable[T]], *, busy: T) -> T:
        """Return what `job` returns once it has had its turn; `busy` if too many wait already.

        If the caller is cancelled, the job is done all the same. If the lanes end first, nobody
        will answer, and the caller is cancelled.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                result = await job()
            except BaseException as error:
                if not answer.done():
                    answer.set_exception(error)
                raise
            if not answer.done():
                answer.set_result(result)

        if not self.offer(symbol, work):
            return busy
        self._waiting.add(answer)
        answer.add_done_callback(self._waiting.discard)
        return await answer

    async def idle(self) -> None:
        """Wait until nothing waits or is under way."""
        for lane in self._lanes:
            await lane.join()

    async def work(self) -> None:
        """Run the lanes; what a job raises ends the trader. Never returns."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self._lanes:
                    tasks.create_task(_run(lane))
        finally:
            for answer in tuple(self._waiting):
                answer.cancel()

    def _lane(self, symbol: str) -> asyncio.Queue[Job]:
        # Not `hash`: that differs from process to process, and so would the order of things.
        return self._lanes[zlib.crc32(symbol.encode()) % len(self._lanes)]


async def _run(lane: asyncio.Queue[Job]) -> None:
    while True:
        job = await lane.get()
        try:
            await job()
        finally:
            lane.task_done()
