"""SIGUSR1 halts the trader: the flag file is written at once, whatever the loop is doing.

A plain signal handler runs between two steps of Python code, so it works while the loop is
stuck in one of ours. What goes with the halt follows as soon as the loop turns again.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Self

from ibkr_trader.adapters.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.kill_flag import HaltFile
    from ibkr_trader.execution.halter import Halter

ORIGIN = "SIGUSR1"
_REASON = "the trader was sent SIGUSR1"


def _nothing() -> None:
    return


class HaltSignal:
    """Obeys SIGUSR1 for the length of the block: by `flag`, and from `reach` on by a desk."""

    def __init__(self, flag: HaltFile) -> None:
        self._flag = flag
        self._then: Callable[[], object] = _nothing

    def __enter__(self) -> Self:
        """Take the signal over."""
        self._before = signal.signal(signal.SIGUSR1, self._halt)
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._then = _nothing
        signal.signal(signal.SIGUSR1, self._before)

    def reach(self, halter: Halter) -> None:
        """From now on the desk hears of it, too; even when the flag cannot be written."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            halter.stop(_REASON, origin=ORIGIN)
            halter.wake.set()

        self._then = lambda: loop.call_soon_threadsafe(stop)

    def _halt(self, _number: int, _frame: object) -> None:
        at = SystemClock().now()
        self._flag.put(_REASON, origin=ORIGIN, at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        self._then()
