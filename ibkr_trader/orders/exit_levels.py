"""Where somebody wants the exits of a position: at a price, or a part of its cost away."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Level(NamedTuple):
    """Where an exit stands: at a price (or so far behind), or at a part of the average cost."""

    price: Decimal | None = None
    fraction: Decimal | None = None

    def beside(self, cost: Decimal, sign: int) -> Decimal:
        """Return the price, on the side of `cost` that `sign` says."""
        if self.price is not None:
            return self.price
        return cost * (1 + sign * (self.fraction or Decimal(0)))


class Wanted(NamedTuple):
    """Which exits somebody asks for."""

    stop: Level | None = None
    target: Level | None = None
    trail: Level | None = None

    @property
    def fault(self) -> str:
        """What contradicts itself; empty if nothing does."""
        if self.stop is not None and self.trail is not None:
            return "a stop and a trail exclude each other: give one of them"
        if self.target is not None and self.stop is None and self.trail is None:
            return "a target needs a stop or a trail beside it, or a loss would have no end"
        return ""
