"""Machines that want one lease, each with its own time and memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from ibkr_trader.adapters.lease import Denial, Grant, Lease, Why
from ibkr_trader.adapters.redis_address import RedisAddress
from ibkr_trader.adapters.redis_link import RedisLink
from tests.adapters.redis_parts import VirtualTime

AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
KEY = "lease:{SIM0000001}"
OURS, RENEWAL = 12, 5  # seconds that a lease is ours unheard; and between two renewals


class Machine:
    """A machine of its own: its time, its memory, and what it was told of a lease that it lost."""

    def __init__(self, name: str, folder: Path, address: RedisAddress) -> None:
        self.name = name
        self.time = VirtualTime(AT)
        self.memory = folder / name / "epoch"
        self.lost: list[str] = []
        self._address = address
        self.patience = 5.0

    def lease(self, link: RedisLink | None = None) -> Lease:
        return Lease(
            link or RedisLink(self._address, patience=self.patience),
            key=KEY,
            ttl_seconds=15,
            memory=self.memory,
            owner=self.name,
            clock=self.time.clock,
            on_lost=self.lost.append,
            sleep=self.time.sleep,
        )


@asynccontextmanager
async def acquired(machine: Machine) -> AsyncIterator[Lease]:
    lease = machine.lease()
    assert isinstance(await lease.acquire(), Grant)
    try:
        yield lease
    finally:
        await lease.release()


def why(answer: Grant | Denial) -> Why | None:
    return answer.why if isinstance(answer, Denial) else None
