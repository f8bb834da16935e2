"""What becomes of a position."""

from __future__ import annotations

from decimal import Decimal
from typing import final

from ibkr_trader.core.events.root import BaseEvent
from ibkr_trader.core.models import ZERO, OrderId, Position


class PositionEvent(BaseEvent, frozen=True, kw_only=True):
    """A position changed; `position` is how it now stands, at the market when it is known.

    `realized_pnl` is what this change has realised, `position.realized_pnl` the day's, both
    before commissions; `position.unrealized_pnl` is the open profit.
    """

    position: Position
    cause: OrderId | None = None
    realized_pnl: Decimal = ZERO


@final
class PositionOpenEvent(PositionEvent, frozen=True, kw_only=True):
    """From flat to long or short."""


@final
class PositionUpdateEvent(PositionEvent, frozen=True, kw_only=True):
    """The size or the cost changed, and it is still open."""


@final
class PositionCloseEvent(PositionEvent, frozen=True, kw_only=True):
    """Back to flat; told again if a correction changes what had been realised."""
