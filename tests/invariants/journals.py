"""The journals of a trader who may be killed: in memory, or the real one on disk.

What was appended survives the process, and nothing else does. The disk may be full.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Protocol

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.journal_file import create
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core.errors import JournalError
from ibkr_trader.execution.ports import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.execution.ports import Clock

_FULL = "cannot write the journal: the disk is full"


def _nobody(_: int) -> None:
    """There is nobody to tell."""


class MortalJournal(Journal, Protocol):
    """A journal that takes no more words once its process is dead.

    Attributes:
        is_dead: Whether the process is.
        is_full: Whether the disk is.
        kept: Is told the number of the last record whenever some have been kept.
    """

    is_dead: bool
    is_full: bool
    kept: Callable[[int], None]

    def inherit(self) -> MortalJournal:
        """Return what the next process finds."""

    def bequeath(self) -> MortalJournal:
        """Return what can still be read when all is over, and give back everything else."""


class MemoryMortalJournal(MemoryJournal):
    """One whose records are kept in memory."""

    is_dead = False
    is_full = False
    kept: Callable[[int], None] = staticmethod(_nobody)

    def append(self, messages: Sequence[Command | BaseEvent]) -> int:
        """Keep `messages`, if there is anybody and any room.

        Raises:
            JournalError: The disk is full.
        """
        if self.is_dead:
            return super().append([])
        if self.is_full and messages:
            raise JournalError(_FULL)
        last = super().append(messages)
        if messages:
            self.kept(last)
        return last

    def inherit(self) -> MemoryMortalJournal:
        """Return what the next process finds."""
        heir = MemoryMortalJournal(self.state.install)
        heir.append([message for _, message in self.messages()])
        heir.observe(group=self.state.last_group)
        heir.is_full, heir.kept = self.is_full, self.kept
        return heir

    def bequeath(self) -> MemoryMortalJournal:
        """Return the journal itself."""
        return self


class DiskMortalJournal(SqliteJournal):
    """The real one; a process that is killed leaves its files as they lie."""

    is_dead = False
    is_full = False
    kept: Callable[[int], None] = staticmethod(_nobody)

    def __init__(self, folder: Path, *, clock: Clock, install: str) -> None:
        """Open the journal of `folder`; a new one has the prefix `install`."""
        self._folder, self._time = folder, clock
        path = folder / "journal.db"
        if not path.exists():
            create(path)
            with contextlib.closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("UPDATE install SET prefix = ?", (install,))
        super().__init__(path, clock=clock)

    def append(self, messages: Sequence[Command | BaseEvent]) -> int:
        """Write `messages` down, if there is anybody and any room.

        Raises:
            JournalError: The disk is full.
        """
        if self.is_dead:
            return self.state.last_record
        if self.is_full and messages:
            raise JournalError(_FULL)
        last = super().append(messages)
        if messages:
            self.kept(last)
        return last

    def observe(self, *, group: int = 0, order_id: int = 0) -> None:
        """Take note of numbers seen at the broker, on disk if there is room."""
        if not (self.is_dead or self.is_full):
            super().observe(group=group, order_id=order_id)

    def inherit(self) -> DiskMortalJournal:
        """Return what the next process finds: the files as they lie, hot ones too."""
        after = self._folder.with_name(f"{self._folder.name}-")
        shutil.copytree(self._folder, after)
        self.close()
        heir = DiskMortalJournal(after, clock=self._time, install=self.state.install)
        heir.is_full, heir.kept = self.is_full, self.kept
        return heir

    def bequeath(self) -> MemoryMortalJournal:
        """Return its messages, if they are whole, and close it."""
        self.verify()
        kept = MemoryMortalJournal(self.state.install)
        kept.append([message for _, message in self.messages()])
        self.close()
        return kept
