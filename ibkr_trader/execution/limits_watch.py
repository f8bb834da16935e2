"""Which of the symbols' limits are in force, while the file that holds them may change.

What is tighter holds from the next review on; what is looser waits until somebody disarms
the desk, or starts it again. A live desk that is armed when it starts goes on with the limits
that the journal has: arming was agreed to under these. A file that is damaged, or gone though
limits were in force, loosens nothing: the last good limits stay, and nothing is opened until
it is mended.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ibkr_trader.core.events import ErrorEvent, LimitsEvent
from ibkr_trader.risk.limits import SymbolLimitRegistry
from ibkr_trader.risk.limits_reading import LimitsReading
from ibkr_trader.risk.tightening import Change, changes, tightened

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.limits import RiskLimits

_BEAT = 0.5  # seconds between two looks; a review looks by itself
_MOST_SHOWN = 10
ORIGIN = "symbol_limits.json"


class LimitsSource(Protocol):
    """Where the symbols' limits are kept: a file of the user's."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    def mark(self) -> object:
        """Return what changes whenever the file does; None if it is missing. It costs little."""

    def read(self) -> LimitsReading:
        """Return what it says now; whatever is wrong with it is in the answer."""

    def parse(self, content: str) -> LimitsReading:
        """Return what a text says that `text` has made."""

    def text(self, registry: SymbolLimitRegistry) -> str:
        """Return limits as the text of a file; the same limits are always the same text."""


class LimitsWatch:
    """Follows one limits file for one desk.

    Attributes:
        reading: What the last look found.
        in_force: The limits that hold.
        source: Where the file is.
    """

    def __init__(self, trader: Trader, source: LimitsSource, cap: RiskLimits) -> None:
        self._trader = trader
        self._book = trader.outlook.book
        self._cap = cap
        self._has_begun = self._is_forgotten = False
        self._offered = SymbolLimitRegistry()
        self._told = ""
        self.source = source
        self.reading = LimitsReading()
        self.in_force = SymbolLimitRegistry()

    def attach(self) -> None:
        """Have the trader's reviews look at the file, and the trader do it now and then."""
        self._book.limits_watch = self
        self._trader.own(self.work)

    def look(self) -> None:
        """Take up what the file says now, as far as it is tighter; cheap if it has not changed."""
        if self._has_begun and self.source.mark() == self.reading.mark:
            return
        reading = self.source.read()
        before = self.in_force if self._has_begun else self._remembered()
        if reading.registry is not None:
            self._offered = reading.registry
            is_bound = self._has_begun or self._is_armed_live()
            self.in_force = tightened(before, reading.registry) if is_bound else reading.registry
        else:
            self.in_force = before
        self.reading, self._has_begun = reading, True
        self._book.symbol_limits = self.in_force
        self._book.limits_fault = "\n".join(self._faults())

    def loosen(self) -> tuple[Change, ...]:
        """Let what waits hold: somebody has disarmed the desk, and may.

        Returns:
            What is looser from now on; nothing while the file cannot be relied on.
        """
        self.look()
        waiting = self.waiting()
        if self.reading.registry is not None and waiting:
            self.in_force = self._book.symbol_limits = self._offered
            self.settle()
        return waiting

    def waiting(self) -> tuple[Change, ...]:
        """Return what the file allows more of, and that is not in force yet."""
        if self.reading.registry is None:
            return ()
        return changes(self.in_force, self._offered, self._cap)

    def settle(self) -> None:
        """Put what is in force on record, if it is not; and say aloud what is wrong with the file.

        It holds even when the disk refuses to record it.
        """
        clock, record = self._trader.clock, self._trader.record
        content = self.source.text(self.in_force)
        known = self._book.limits
        # No record says that there are no limits: none of nothing is needed.
        is_on_record = self.in_force.is_empty if known is None else content == known.content
        if not is_on_record:
            event = LimitsEvent(at=clock.now(), content=content, origin=ORIGIN)
            record.attempt([event], is_vital=True)
        fault = self._book.limits_fault
        if fault != self._told:
            self._told = fault
            if fault:
                message = f"nothing is opened: {fault.partition(chr(10))[0]}"
                error = ErrorEvent(at=clock.now(), code=0, message=message, is_serious=True)
                record.attempt([error], is_vital=True)

    async def work(self) -> None:
        """Look again and again; never returns."""
        while True:
            self.look()
            self.settle()
            await asyncio.sleep(_BEAT)

    def _remembered(self) -> SymbolLimitRegistry:
        """What was in force when the journal was last written."""
        known = self._book.limits
        if known is None:
            return SymbolLimitRegistry()
        reading = self.source.parse(known.content)
        self._is_forgotten = reading.registry is None
        return reading.registry or SymbolLimitRegistry()

    def _is_armed_live(self) -> bool:
        arming = self._book.arming()
        return arming.is_live and arming.is_armed(self._trader.clock.now())

    def _faults(self) -> list[str]:
        """Why the file cannot be relied on, each reason in a line."""
        name, reading = self.source.name, self.reading
        if reading.is_missing and (self._is_forgotten or not self.in_force.is_empty):
            count = len(self.in_force.symbols)
            named = f"of {count} symbol{'' if count == 1 else 's'}" if count else "for every symbol"
            stay = "they stay so; a file with {} in it says that none are meant"
            return [f"{name} is missing, and limits {named} were in force: {stay}"]
        lines = [f"{name} {fault}" for fault in reading.faults]
        if (more := len(lines) - _MOST_SHOWN) > 0:
            lines[_MOST_SHOWN:] = [f"{name}: and {more} more"]
        return lines
