"""While the disk is nearly full, nothing is opened: what is done must be written down first.

Closing goes on. The room that is left is for that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.execution.trader import Trader

BEAT = 10.0  # seconds between two looks
_CAUSE = "disk"
_MB = 1_000_000


class DiskWatch:
    """Looks at what is free where the journal lies; `work` goes on doing so.

    Args:
        trader: Whose desk it is.
        least: Bytes that must be free.
        free: Says how many are; an `OSError` counts as none.
    """

    def __init__(self, trader: Trader, *, least: int, free: Callable[[], int]) -> None:
        self._book = trader.outlook.book
        self._least = least
        self._free = free

    async def work(self) -> None:
        """Look again and again; never returns."""
        while True:
            await asyncio.sleep(BEAT)
            self.look()

    def look(self) -> None:
        """Allow openings while there is room, and only then."""
        try:
            free = self._free()
        except OSError as error:
            self._book.degrade(_CAUSE, f"the disk cannot be read: {error.strerror or error}")
            return
        reason = ""
        if free < self._least:
            needed = -(-self._least // _MB)
            reason = f"only {free // _MB} MB are free on the disk, and {needed} MB are needed"
        self._book.degrade(_CAUSE, reason)
