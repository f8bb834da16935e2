"""Running an async command so that Ctrl-C, SIGTERM and a closed terminal end it in good order.

The first signal cancels the command: its blocks unwind, connections close, the lock is
given back. What is at the broker stays there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.end_signals import ends_heard
from ibkr_trader.cli.exits import Stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable


def run_async(body: Awaitable[Any]) -> Any:
    """Run `body` to its end and return its result.

    Raises:
        Stopped: If a signal ended it.
    """
    return asyncio.run(_supervised(body))


async def _supervised(body: Awaitable[Any]) -> Any:
    task = asyncio.current_task()
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    try:
        with ends_heard(stop):
            return await body
    except asyncio.CancelledError:
        if received:
            raise Stopped(received[0]) from None
        raise
