"""The highest epoch of a lease that this machine has seen: a small file that only grows.

A server that lost its data would count from one again. Then two holders could have the same
epoch, and nobody could tell the old one from the new one.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ibkr_trader.adapters.private_files import open_private, private_folder, replace_private
from ibkr_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_CONTENT = re.compile(r"([0-9]{1,18}) ([!-~]+)\n")
_MOST_BYTES = 512


class MemoryUnusable(Exception):
    """The file cannot be read or written, is damaged, or belongs to another lease."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the highest epoch seen cannot be kept in {path}: {why}")
        self.hint = "look at the file; without it, a server that lost its data is not found out"


class EpochMemory:
    """The file of one lease. Every method raises `MemoryUnusable` if it cannot be used."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key

    def highest(self) -> int:
        """Return the highest epoch noted; 0 if there is none."""
        try:
            private_folder(self._path.parent)
            content = _read(self._path)
        except ConfigError as error:
            raise MemoryUnusable(self._path, error.message) from error
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise MemoryUnusable(self._path, error.strerror or str(error)) from error
        found = _CONTENT.fullmatch(content)
        if found is None:
            raise MemoryUnusable(self._path, "it is damaged")
        if found[2] != self._key:
            raise MemoryUnusable(self._path, f"it is that of the lease {found[2]}")
        return int(found[1])

    def note(self, epoch: int) -> None:
        """Put a higher epoch on disk."""
        try:
            replace_private(self._path, f"{epoch} {self._key}\n".encode())
        except OSError as error:
            raise MemoryUnusable(self._path, error.strerror or str(error)) from error


def _read(path: Path) -> str:
    descriptor = open_private(path, os.O_RDONLY)
    try:
        return os.read(descriptor, _MOST_BYTES).decode("utf-8", errors="replace")
    finally:
        os.close(descriptor)
