"""`adjust_stop`: have the stop nearer to the market, on whichever side is held; never wider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, MoveStop

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment


@ACTIONS.register("adjust_stop")
class AdjustStop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tighten the stop to a distance behind the market, or to what the position cost.

    Attributes:
        behind: How far behind the market it belongs: below it for what is long, above it for
            what is short.
        to: `cost` has it where the position was entered, so that nothing is lost any more.
    """

    behind: Distance | None = None
    to: Literal["", "cost"] = ""

    def __post_init__(self) -> None:
        if (self.behind is None) == (not self.to):
            raise ValueError('give either behind, such as "3%", or to = "cost"')

    @property
    def indicators(self) -> frozenset[Key]:
        """That which the distance is counted in."""
        key = self.behind.indicator if self.behind is not None else None
        return frozenset() if key is None else frozenset({key})

    def wishes(self, moment: Moment) -> tuple[MoveStop, ...]:
        """Return where the stop belongs; nothing if it is there, or nothing is held.

        Raises:
            CannotWish: If no price is known.
        """
        holding = moment.holding
        if not holding.quantity or holding.is_leaving:
            return ()
        sign = 1 if holding.quantity > 0 else -1
        level = self._level(moment, sign)
        stop = holding.stop
        if stop is not None and (level - stop) * sign <= 0:
            return ()
        return (MoveStop(symbol=moment.symbol, level=level),)

    def _level(self, moment: Moment, sign: int) -> Decimal:
        position = moment.holding.position
        if self.behind is None and position is not None:
            return position.average_cost
        mark = moment.mark
        if mark is None or self.behind is None:
            raise CannotWish(f"there is no price of {moment.symbol} to be behind of")
        return mark - sign * self.behind.away(mark, indicator=moment.indicator)
