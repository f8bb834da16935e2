"""`adjust_stop`: have the stop nearer to the market, on whichever side is held; never wider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ibkr_trader.orders.managed_trails import STEP
from ibkr_trader.rules.distance import Distance, Unit
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, MoveStop

if TYPE_CHECKING:
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
        if self.behind is not None and self.behind.unit is Unit.RISK:
            raise ValueError("behind cannot be counted in R: there is no entry to risk")

    @property
    def indicators(self) -> frozenset[Key]:
        """That which the distance is counted in."""
        key = self.behind.indicator if self.behind is not None else None
        return frozenset() if key is None else frozenset({key})

    def wishes(self, moment: Moment) -> tuple[MoveStop, ...]:
        """Return where the stop belongs; nothing if it is about there, or nothing is held.

        Raises:
            CannotWish: If nobody knows what is held, no price is known, or the market is not on
                the far side of where the stop belongs: there it would trade at once.
        """
        holding, mark = moment.holding, moment.mark
        if not holding.is_known:
            raise CannotWish("nobody knows what is held")
        if holding.position is None or not holding.quantity or holding.is_leaving:
            return ()
        if mark is None:
            raise CannotWish(f"there is no price of {moment.symbol} to be behind of")
        sign = 1 if holding.quantity > 0 else -1
        if self.behind is None:
            level = holding.position.average_cost
        else:
            level = mark - sign * self.behind.away(mark, indicator=moment.indicator)
        if level <= 0 or (mark - level) * sign <= 0:
            raise CannotWish(f"a stop at {level:.2f} is no stop with the market at {mark:.2f}")
        stop = holding.stop
        if stop is not None and (level - stop) * sign < stop * STEP:
            return ()
        return (MoveStop(symbol=moment.symbol, level=level),)
