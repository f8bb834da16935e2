"""`scale_in`: add to the position that is there, on its own side; its exits follow."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import Add, CannotWish

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment


@ACTIONS.register("scale_in")
class ScaleIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Add a number, or a part of what is held; never beyond `up_to`.

    Attributes:
        quantity: How many to add.
        fraction: Or how much of what is held: `0.5` is half of it more.
        up_to: The most to hold in the end; None leaves it to the limits.
    """

    quantity: Decimal | None = None
    fraction: Decimal | None = None
    up_to: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.quantity is None) == (self.fraction is None):
            raise ValueError("give either quantity or fraction")
        for name in ("quantity", "fraction", "up_to"):
            value: Decimal | None = getattr(self, name)
            if value is not None and not (value.is_finite() and value > 0):
                raise ValueError(f"{name} must be above 0")

    @property
    def indicators(self) -> frozenset[Key]:
        """None."""
        return frozenset()

    def wishes(self, moment: Moment) -> tuple[Add, ...]:
        """Return what to add; nothing while something is under way, or there is no more room.

        Raises:
            CannotWish: If nothing is held, or nobody knows what is.
        """
        holding = moment.holding
        if not holding.is_known:
            raise CannotWish("nobody knows what is held")
        if not holding.quantity:
            raise CannotWish(f"nothing is held in {moment.symbol}: there is nothing to add to")
        if holding.is_entering or holding.is_leaving:
            return ()
        held = abs(holding.quantity)
        wanted = (
            self.quantity if self.quantity is not None else held * (self.fraction or Decimal(0))
        )
        if self.up_to is not None:
            wanted = min(wanted, self.up_to - held)
        whole = wanted.to_integral_value(rounding=ROUND_DOWN)
        return (Add(symbol=moment.symbol, quantity=whole),) if whole > 0 else ()
