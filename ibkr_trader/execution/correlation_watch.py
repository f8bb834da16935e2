"""Brings correlations and sectors from their files to the reviews, while the files may change.

A damaged correlations file counts as missing, and it is said: what is missing degrades as
it is set. A damaged sectors file, or one that is gone though sectors were in force, would
take symbols out of their sectors, so nothing is opened until it is mended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.risk.correlation import CorrelationMatrix
from ibkr_trader.risk.limits_reading import LimitsFault

if TYPE_CHECKING:
    from ibkr_trader.execution.risk_book import RiskBook

logger = logging.getLogger(__name__)
BEAT = 2.0  # seconds between two looks


class CorrelationReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the correlations file found.

    Attributes:
        matrix: What it says; None if it is missing or damaged.
        industries: The broker's word for the branch of each symbol that was asked about.
        fault: What is wrong with it; empty if it is whole, or missing.
        mark: What changes whenever the file does; None if it is missing.
    """

    matrix: CorrelationMatrix | None = None
    industries: Mapping[str, str] = MappingProxyType({})
    fault: str = ""
    mark: object = None


class SectorsReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the sectors file found: nothing, if there are faults."""

    sectors: Mapping[str, str] = MappingProxyType({})
    faults: tuple[LimitsFault, ...] = ()
    mark: object = None


class CorrelationSource(Protocol):
    """Where the newest correlations are kept."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    def mark(self) -> object:
        """Return what changes whenever it does; None if it is missing. It costs little."""

    def read(self) -> CorrelationReading:
        """Return what it says now; whatever is wrong with it is in the answer."""


class SectorsSource(Protocol):
    """Where the user's sectors are kept."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    def mark(self) -> object:
        """Return what changes whenever it does; None if it is missing. It costs little."""

    def read(self) -> SectorsReading:
        """Return what it says now; whatever is wrong with it is in the answer."""


class CorrelationWatch:
    """Follows both files for one desk.

    Attributes:
        reading, sectors: What the last look found.
        in_force: The user's sectors that hold: those of the last file that was whole.
    """

    def __init__(
        self, book: RiskBook, correlations: CorrelationSource, sectors: SectorsSource
    ) -> None:
        self._book = book
        self._correlations, self._sectors = correlations, sectors
        self.reading = CorrelationReading()
        self.sectors = SectorsReading()
        self.in_force: Mapping[str, str] = MappingProxyType({})

    def look(self) -> None:
        """Take up what has changed since the last look."""
        if self._correlations.mark() != self.reading.mark:
            self._take(self._correlations.read())
        if self._sectors.mark() != self.sectors.mark:
            self._sort(self._sectors.read())

    async def work(self) -> None:
        """Look now and then; never returns. A large file is read by a thread."""
        while True:
            await asyncio.sleep(BEAT)
            if self._correlations.mark() != self.reading.mark:
                self._take(await asyncio.to_thread(self._correlations.read))
            if self._sectors.mark() != self.sectors.mark:
                self._sort(await asyncio.to_thread(self._sectors.read))

    def _take(self, reading: CorrelationReading) -> None:
        self.reading = reading
        self._book.correlations = reading.matrix
        if reading.fault:
            logger.warning(
                "%s counts as missing: %s; ibkr-trader update-correlations writes it anew",
                self._correlations.name,
                reading.fault,
            )
        self._book.learn_industries(reading.industries)

    def _sort(self, reading: SectorsReading) -> None:
        self.sectors = reading
        faults = [f"{self._sectors.name}: {fault}" for fault in self._faults()]
        self._book.sectors_fault = "\n".join(faults)
        if not faults:
            self.in_force = reading.sectors
            self._book.name_sectors(reading.sectors)
        for fault in faults:
            logger.warning("nothing is opened: %s", fault)

    def _faults(self) -> tuple[str, ...]:
        """Why the sectors file cannot be relied on, each reason in a line."""
        if self.sectors.mark is None and self.in_force:
            count = len(self.in_force)
            named = f"{count} symbol{'' if count == 1 else 's'}"
            stay = "they stay so; put it back, write {} into it, or start the trader again"
            return (f"it is missing, and sectors of {named} were in force: {stay}",)
        return tuple(str(fault) for fault in self.sectors.faults)
