"""How far a journal had come on this machine, kept away from its folder: so a copy is noticed.

A folder that is put back from a backup is whole in itself: its own mark is as old as it is. So a
line about each journal lies in the user's folder for state, which no backup of the data folder
has.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ibkr_trader.adapters.journal_file import MarkLine
from ibkr_trader.adapters.private_files import create_private, open_private, private_folder
from ibkr_trader.core.errors import ConfigError, JournalError

if TYPE_CHECKING:
    from collections.abc import Callable


def state_folder() -> Path:
    """Return this user's folder for what is kept, and is neither settings nor data."""
    given = os.environ.get("XDG_STATE_HOME")
    home = Path(given) if given else Path.home() / ".local" / "state"
    return home / "ibkr-trader" / "journals"


class SeenMark:
    """The line about one journal, found by its install prefix.

    While there is a `doubt` it stays as it was: a crash must not make anybody forget it.

    Attributes:
        doubt: Why the journal is not what this machine has seen last; empty if it is. What
            cannot be kept or read for want of a folder is no doubt: there is nothing to compare.
    """

    def __init__(self, folder: Path, install: str) -> None:
        self.doubt = ""
        self._newest: tuple[int, bytes] | None = None
        path, descriptor = folder / install, None
        with contextlib.suppress(OSError, ConfigError):
            private_folder(folder)
            if not path.exists():
                create_private(path, b"")
            descriptor = open_private(path, os.O_RDWR)
        self._line = MarkLine(descriptor)

    def compare(self, seq: int, hash_of: Callable[[int], bytes], *, since: int = 0) -> None:
        """Doubt a journal that ends before what was seen, or went on another way.

        Args:
            seq: Its last record.
            hash_of: Returns the hash of a record.
            since: The record before the first that is at hand; of an older one nothing is said.
        """
        try:
            known = self._line.read()
        except ValueError:
            self.doubt = "what this machine had seen of the journal cannot be read"
            return
        if known is None:
            return
        number, digest = known
        if number > seq:
            self.doubt = (
                f"the journal ends with record {seq:,}, and this machine has seen record "
                f"{number:,}: its folder is an older copy"
            )
        elif number >= since:
            with contextlib.suppress(JournalError):
                if hash_of(number).hex() != digest:
                    self.doubt = (
                        f"record {number:,} of the journal is not the one that this machine "
                        "has seen: its folder is a copy, and both were written"
                    )

    def set(self, seq: int, digest: bytes) -> None:
        """Move the mark to record `seq`, at once or when the doubt is `accepted`."""
        self._newest = seq, digest
        if not self.doubt:
            self._write()

    def accept(self) -> None:
        """Take the journal as it is from now on: it is on record that it was doubted."""
        self.doubt = ""
        self._write()

    def close(self) -> None:
        """Give the file back; closing twice is harmless."""
        self._line.close()

    def _write(self) -> None:
        if self._newest is not None:
            self._line.set(*self._newest)
