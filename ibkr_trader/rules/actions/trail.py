"""`trail`: let the position's stop follow the market from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.rules.distance import Distance, Unit
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, LetTrail

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment


@ACTIONS.register("trail")
class TrailStop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have the stop that rests at the broker follow, `behind` the best price since.

    Attributes:
        behind: How far; what is counted in ranges is fixed when it begins.
    """

    behind: Distance

    def __post_init__(self) -> None:
        if self.behind.unit is Unit.RISK:
            raise ValueError("behind cannot be counted in R: there is no entry to risk")

    @property
    def indicators(self) -> frozenset[Key]:
        """That which the distance is counted in."""
        key = self.behind.indicator
        return frozenset() if key is None else frozenset({key})

    def wishes(self, moment: Moment) -> tuple[LetTrail, ...]:
        """Return the trail; nothing if nothing is held.

        Raises:
            CannotWish: If nobody knows what is held, or no price is known that the distance
                is counted from.
        """
        holding, mark = moment.holding, moment.mark
        if not holding.is_known:
            raise CannotWish("nobody knows what is held")
        if not holding.quantity or holding.is_leaving:
            return ()
        if self.behind.unit is Unit.PERCENT:
            return (LetTrail(symbol=moment.symbol, trail=Trail(percent=self.behind.value)),)
        if mark is None:
            raise CannotWish(f"there is no price of {moment.symbol} to trail behind")
        amount = self.behind.away(mark, indicator=moment.indicator)
        return (LetTrail(symbol=moment.symbol, trail=Trail(amount=amount)),)
