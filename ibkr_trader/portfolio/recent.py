"""A map of what was entered lately, in bounded memory: for what is soon asked for, or never."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from ibkr_trader.portfolio.growing import GrowingMap

K = TypeVar("K")
V = TypeVar("V")


class Recent(msgspec.Struct, Generic[K, V], frozen=True, kw_only=True):
    """The last entries: at least `most`, and less than twice as many.

    Every change makes a new map and leaves the old one as it was.
    """

    most: int
    newer: GrowingMap[K, V] = GrowingMap()
    older: GrowingMap[K, V] = GrowingMap()

    def plus(self, key: K, value: V) -> Recent[K, V]:
        """Return the map with `key` entered; what is oldest may be forgotten."""
        newer = self.newer.plus(key, value)
        if len(newer) < self.most:
            return Recent(most=self.most, newer=newer, older=self.older)
        return Recent(most=self.most, older=newer)

    def get(self, key: K) -> V | None:
        """Return what was entered last under `key`; None if nothing was, or it is forgotten."""
        found = self.newer.get(key)
        return self.older.get(key) if found is None else found
