"""A consumer in a process of its own, which says what it is handed and answers nothing."""

from __future__ import annotations

import asyncio
import sys

from ibkr_trader.core.signals import Incoming, SignalReply
from tests.adapters.signals.queue_parts import source


async def take(incoming: Incoming) -> SignalReply:
    """Say that it is here, and wait for the end."""
    print(incoming.signal_id, flush=True)  # noqa: T201 - how the test hears of it
    await asyncio.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    asyncio.run(source(sys.argv[1]).run(take))
