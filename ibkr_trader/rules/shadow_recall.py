"""What shadows would hold, by a journal: the books of all of them in one reading.

A version that was promoted or let go holds nothing in the shadow any more; if it comes back, it
begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.enums import Stage
from ibkr_trader.core.events import DecisionEvent, StageEvent, WouldFillEvent
from ibkr_trader.rules.shadow_book import ShadowBook

if TYPE_CHECKING:
    from ibkr_trader.rules.rule import Strategy

Version = tuple[str, str]  # a strategy's name, and which of its versions


class ShadowRecall(msgspec.Struct, frozen=True, kw_only=True):
    """The books so far, by strategy and version, and which version of each traded last."""

    books: Mapping[Version, ShadowBook] = MappingProxyType({})
    live: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def of(cls, strategies: Iterable[Strategy]) -> ShadowRecall:
        """Return the books of these before anything was read."""
        versions = ((one.name, one.version) for one in strategies)
        return cls(books={one: _empty(one) for one in versions})

    def after(self, message: object) -> ShadowRecall:
        """Return the books after one more message of the journal, oldest first."""
        match message:
            case DecisionEvent() | WouldFillEvent():
                version = message.strategy, message.version
                book = self.books.get(version)
                return (
                    self
                    if book is None
                    else self._with(version, book.after(message, message.at)[0])
                )
            case StageEvent():
                return self._staged(message)
            case _:
                return self

    def _staged(self, event: StageEvent) -> ShadowRecall:
        version, on = (event.strategy, event.version), self
        # At each start what trades is told anew: that ends no shadow of the same version.
        is_promoted = event.stage is Stage.LIVE and self.live.get(version[0]) != version[1]
        if version in self.books and (is_promoted or event.stage is Stage.RETIRED):
            on = self._with(version, _empty(version))
        if is_promoted:
            on = msgspec.structs.replace(on, live={**self.live, version[0]: version[1]})
        return on

    def _with(self, version: Version, book: ShadowBook) -> ShadowRecall:
        return msgspec.structs.replace(self, books={**self.books, version: book})


def _empty(version: Version) -> ShadowBook:
    return ShadowBook(strategy=version[0], version=version[1])
