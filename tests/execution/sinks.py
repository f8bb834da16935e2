"""Sinks that take all, fail, refuse or hang: real small ones, no mocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ibkr_trader.core.errors import SinkUnavailable
from ibkr_trader.portfolio.payloads import Payload


class ListSink:
    """Keeps what it takes; raises what it is told to, as often as that."""

    def __init__(self, name: str = "list") -> None:
        self.name = name
        self.taken: list[Payload] = []
        self.batches: list[int] = []
        self.faults: list[Exception] = []
        self.attempts = 0
        self.is_closed = False
        self.changed = asyncio.Event()

    async def emit(self, payloads: Sequence[Payload]) -> None:
        self.attempts += 1
        self.changed.set()
        if self.faults:
            raise self.faults.pop(0)
        self.taken += payloads
        self.batches.append(len(payloads))

    async def close(self) -> None:
        self.is_closed = True

    async def until(self, check: Callable[[], bool]) -> None:
        """Wait until `check` holds, which an attempt brings about, or what is said of it."""
        async with asyncio.timeout(5):
            while not check():
                self.changed.clear()
                await self.changed.wait()
                await asyncio.sleep(0)

    @property
    def ids(self) -> list[str]:
        return [one.event_id for one in self.taken]


class HangingSink(ListSink):
    """Takes nothing and answers nothing, until its gate is opened."""

    def __init__(self, name: str = "hanging") -> None:
        super().__init__(name)
        self.gate = asyncio.Event()
        self.begun = 0

    async def emit(self, payloads: Sequence[Payload]) -> None:
        self.begun += 1
        self.changed.set()
        await self.gate.wait()
        await super().emit(payloads)


def down(times: int, why: str = "nobody there") -> list[Exception]:
    return [SinkUnavailable(why) for _ in range(times)]
