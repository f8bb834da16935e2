"""What would-be trips come to: the sums that a rehearsal and a comparison are judged by."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.rules.arithmetic import ARITHMETIC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.events import WouldFillEvent


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Trips added up.

    Attributes:
        gains: What each trip brought, fees taken off, in the order of their ends.
        fees: What all executions cost, those of trips under way included.
    """

    gains: tuple[Decimal, ...] = ()
    fees: Decimal = ZERO

    @classmethod
    def of(cls, fills: Iterable[WouldFillEvent]) -> Results:
        """Return what these executions come to."""
        every = tuple(fills)
        return cls(
            gains=tuple(one.gain for one in every if one.gain is not None),
            fees=sum((one.commission for one in every), ZERO),
        )

    @property
    def gain(self) -> Decimal:
        """What all of them brought."""
        return sum(self.gains, ZERO)

    @property
    def wins(self) -> int:
        """How many brought more than nothing."""
        return sum(1 for one in self.gains if one > 0)

    @property
    def profit_factor(self) -> Decimal | None:
        """What was won for each unit that was lost; None if nothing was lost."""
        won = sum((one for one in self.gains if one > 0), ZERO)
        lost = -sum((one for one in self.gains if one < 0), ZERO)
        with localcontext(ARITHMETIC):
            return won / lost if lost else None

    @property
    def drawdown(self) -> Decimal:
        """How far the sum fell at most below what it had been before."""
        top = most = ZERO
        for total in accumulate(self.gains):
            top = max(top, total)
            most = max(most, top - total)
        return most

    @property
    def curve(self) -> tuple[Decimal, ...]:
        """The sum after each trip, from nothing on."""
        return tuple(accumulate(self.gains, initial=ZERO))
