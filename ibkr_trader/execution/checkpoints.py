"""A trader that stays running marks resting points, so that a restart after a kill is quick."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader

_PASSING = (ev.MarketEvent, ev.AccountEvent, ev.PositionReportEvent)
MANY = 1_000  # events since the last one: what a restart reads at most, and in a blink
LONG = 600.0  # seconds after which a few events are worth one, too
_LOOK = 5.0  # seconds between two looks


class Checkpoints:
    """Marks a resting point when much has happened, or something long ago."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._count = 0
        self._marked_at = trader.clock.monotonic()
        trader.bus.subscribe(ev.BaseEvent, self._note)

    @property
    def is_due(self) -> bool:
        """Whether a restart would have too much to read."""
        if not self._trader.record.is_complete:
            return False  # what the disk still owes comes first
        age = self._trader.clock.monotonic() - self._marked_at
        return self._count >= MANY or (self._count > 0 and age >= LONG)

    async def work(self) -> None:
        """Look now and then; never returns."""
        while True:
            await asyncio.sleep(_LOOK)
            if self.is_due:
                self.mark()

    def mark(self) -> None:
        """Mark a resting point now, and let go of what is more than a day old.

        Between two steps of the loop everything that was told is on disk and in the picture,
        so any moment is one of rest.
        """
        self._trader.recovery.checkpoint()
        self._trader.outlook.replay(())  # no news: only the past goes
        self._count, self._marked_at = 0, self._trader.clock.monotonic()

    def _note(self, event: ev.BaseEvent) -> None:
        if not isinstance(event, _PASSING):
            self._count += 1
