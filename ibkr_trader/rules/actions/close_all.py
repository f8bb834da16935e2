"""`close_all`: be flat in the symbol, with no order of ours left in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import Exit

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment

_SIDES = {"long": Side.BUY, "short": Side.SELL, "both": None}


@ACTIONS.register("close_all")
class CloseAll(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End what is held and every order that belongs to it; never further than flat.

    Attributes:
        only: `long` or `short` leaves a position on the other side alone.
    """

    only: Literal["long", "short", "both"] = "both"

    @property
    def indicators(self) -> frozenset[Key]:
        """None."""
        return frozenset()

    def wishes(self, moment: Moment) -> tuple[Exit, ...]:
        """Return the wish to be out; nothing if that is so, or under way.

        What nobody knows to be flat is closed: that is judged when it is carried out.
        """
        holding, side = moment.holding, _SIDES[self.only]
        if holding.is_leaving:
            return ()
        held = holding.quantity
        if holding.is_known:
            if side is not None and held * side.sign < 0:
                return ()
            if not held and not holding.is_entering:
                return ()
        return (Exit(symbol=moment.symbol, only=side),)
