"""Lines out of pieces, with no more kept of one than a reader needs to refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.signals.json_reading import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator


class LineSplitter:
    """Takes pieces of text as they come, and gives whole lines, without their ends.

    Of a line that is longer than `most` only one byte more than that is kept.
    """

    def __init__(self, most: int = MAX_BYTES) -> None:
        self._kept = most + 1
        self._begun = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that a piece completes."""
        *whole, begun = data.split(b"\n")
        for line in whole:
            self._extend(line)
            yield self.rest()
        self._extend(begun)

    def rest(self) -> bytes:
        """Return the line that has no end yet, and begin another."""
        line, self._begun = bytes(self._begun), bytearray()
        return line

    def _extend(self, data: bytes) -> None:
        self._begun += data[: self._kept - len(self._begun)]
