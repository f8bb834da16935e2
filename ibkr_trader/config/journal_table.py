"""The table `[journal]` of `config.toml`: how large a file of the journal may become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.config.risk_table import read_table

if TYPE_CHECKING:
    from ibkr_trader.config.sources import Sources

_MOST = 1_000_000
_MB = 1_000_000


class JournalTable(msgspec.Struct, frozen=True, kw_only=True):
    """When a file of the journal is sealed, and another follows on it.

    Attributes:
        segment_mb: The size from which on that is done, in millions of bytes.
    """

    segment_mb: int = 256

    def __post_init__(self) -> None:
        if not 1 <= self.segment_mb <= _MOST:
            raise ValueError(f"segment_mb must be from 1 to {_MOST}")

    @property
    def segment_bytes(self) -> int:
        """The same in bytes."""
        return self.segment_mb * _MB


def journal_table(found: Sources) -> JournalTable:
    """Return the table, with its default where the file says nothing.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    return read_table(found, "journal", JournalTable)
