"""What the prices of a moment ago were, and which contracts were halted.

Kept for every contract that is quoted, at a few steps for each price.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibkr_trader.core.models import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.core.events import PriceEvent
    from ibkr_trader.core.models import Quote

SPAN = 1.0  # seconds: a price that has stood for so long is believed
_KEPT = timedelta(days=1)


class _Trace:
    """The newest quote of a contract, and those that stood when the last two spans began."""

    __slots__ = ("before", "long_before", "newest", "since")

    def __init__(self, quote: Quote, at: float) -> None:
        self.newest = self.before = self.long_before = quote
        self.since = at

    def add(self, quote: Quote, at: float) -> None:
        passed = at - self.since
        if passed >= SPAN:
            # What was newest until now has stood for a whole span, if two have passed.
            self.long_before = self.newest if passed >= 2 * SPAN else self.before
            self.before, self.since = self.newest, at
        self.newest = quote

    def jump(self, at: float) -> Decimal | None:
        """How far the middle has moved in about a second, as a fraction of what it was."""
        passed = at - self.since
        if passed >= 2 * SPAN:
            return None
        moves = [_distance(self.before, self.newest)]
        if passed < SPAN and self.long_before is not self.before:
            moves.append(_distance(self.long_before, self.newest))
        return max(moves)


def _distance(old: Quote, new: Quote) -> Decimal:
    """How far apart two middles are, as a fraction of the older; only two-sided quotes are kept."""
    before, now = old.mid, new.mid
    if old is new or before is None or now is None or not before:
        return ZERO
    return abs(now - before) / before


class PriceMemory:
    """Folds prices; it forgets them when the link is lost, and halts after a day."""

    def __init__(self) -> None:
        self._traces: dict[int, _Trace] = {}
        self._halted: set[int] = set()
        self._unhalted: dict[int, datetime] = {}

    @property
    def unhalted(self) -> Mapping[int, datetime]:
        """When each contract was last seen halted, of those that are not any more."""
        return MappingProxyType(self._unhalted)

    def hear(self, event: PriceEvent, at: float) -> None:
        """Take note of a price, at a moment of the monotonic clock."""
        quote, con_id = event.quote, event.contract.con_id
        if quote.bid is not None and quote.ask is not None:
            trace = self._traces.get(con_id)
            if trace is None:
                self._traces[con_id] = _Trace(quote, at)
            else:
                trace.add(quote, at)
        if quote.halted:
            self._halted.add(con_id)
        elif con_id in self._halted:
            self._halted.remove(con_id)
            kept = {c: when for c, when in self._unhalted.items() if event.at - when < _KEPT}
            self._unhalted = {**kept, con_id: event.at}

    def jump(self, con_id: int, at: float) -> Decimal | None:
        """Return how far a price has just moved; None if it stands, or nobody knows."""
        trace = self._traces.get(con_id)
        return None if trace is None else trace.jump(at)

    def forget(self) -> None:
        """Let prices go: what comes after a gap is no leap. A halt outlives it."""
        self._traces.clear()
