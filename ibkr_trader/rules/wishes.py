"""What a decision comes to: the closed set of wishes that the shell can carry out.

An action of a rule (`rules/actions/`) turns into these, with every price worked out; then
`execution/wishing.py` makes requests of them, and the one order path takes those. A wish says
what is to be so, and never how many orders that takes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import final

import msgspec

from ibkr_trader.core.enums import Side, TimeInForce
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import Size


@final
class Enter(msgspec.Struct, frozen=True, kw_only=True):
    """Be in a position on `side`, protected by a stop from the first share on.

    Attributes:
        side: BUY is to be long, SELL to be short.
        size: How many, by which rule; the limits cut it.
        stop: Where it is given up; None if the size says where.
        targets: Where gain is taken, nearest first; each takes an equal part.
        limit: The most to pay, the least to take; None is a market order.
        exit_tif: How long the exits may wait.
        reverses: A position on the other side is closed first, and only when the broker has
            confirmed it is anything entered. Without it, that position refuses the wish.
    """

    symbol: str
    side: Side
    size: Size
    stop: Decimal | None = None
    targets: tuple[Decimal, ...] = ()
    limit: Decimal | None = None
    exit_tif: TimeInForce = TimeInForce.GTC
    reverses: bool = False


@final
class Add(msgspec.Struct, frozen=True, kw_only=True):
    """Add to the position that is there; its exits follow to the new size."""

    symbol: str
    quantity: Decimal
    limit: Decimal | None = None


@final
class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """Be flat, with no order of ours left; `only` one side is meant, if it is given."""

    symbol: str
    only: Side | None = None  # BUY: a long position; SELL: a short one


@final
class MoveStop(msgspec.Struct, frozen=True, kw_only=True):
    """Have the stop at `level`, unless it is there or nearer already: never wider."""

    symbol: str
    level: Decimal


@final
class LetTrail(msgspec.Struct, frozen=True, kw_only=True):
    """Have the position's stop follow the market from now on."""

    symbol: str
    trail: Trail


@final
class Tell(msgspec.Struct, frozen=True, kw_only=True):
    """Tell people: on the screen, in the journal, at the sinks."""

    message: str
    is_serious: bool = False


@final
class StopTrading(msgspec.Struct, frozen=True, kw_only=True):
    """Halt: everything, or one symbol. Only a person resumes."""

    reason: str
    symbol: str = ""


Wish = Enter | Add | Exit | MoveStop | LetTrail | Tell | StopTrading


def traded(wish: Wish) -> str:
    """Return the symbol whose position a wish changes; empty if it changes none.

    Of one moment a symbol gets one of these at most.
    """
    return wish.symbol if isinstance(wish, Enter | Add | Exit) else ""


class CannotWish(ValueError):
    """An action lacks what it needs to become a wish; `hint` says what would help."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
