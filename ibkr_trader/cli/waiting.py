"""Running an async command so that Ctrl-C and SIGTERM end it in good order.

The first signal cancels the command: its blocks unwind, connections close, the lock is
given back. What is at the broker stays there.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

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
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        return await body
    except asyncio.CancelledError:
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
