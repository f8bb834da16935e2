"""Which stops were hit at a loss, by the average cost that the ledger has.

A stop is an order of a stopping type, whoever placed it, trails included. So a trail that has
saved a gain is none of these, nor is an entry by a stop order, nor a close by hand.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.portfolio.positions import place, signed, traded

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderId
    from ibkr_trader.portfolio.positions import Book
    from ibkr_trader.portfolio.state import PortfolioState


def stopped_out(
    portfolio: PortfolioState, book: Book, *, since: datetime
) -> dict[OrderId, datetime]:
    """Return the stops of one ledger that were hit at a loss since then, and when."""
    ids = {fill.order_id for fill in book.fills.values() if fill.at >= since}
    stops = {order_id for order_id in ids if _is_stop(order_id, portfolio)}
    return _losses(book, stops) if stops else {}


def _is_stop(order_id: OrderId, portfolio: PortfolioState) -> bool:
    order = portfolio.order(order_id)
    return order is not None and order.spec.order_type in STOP_TYPES


def _losses(book: Book, stops: set[OrderId]) -> dict[OrderId, datetime]:
    """When each of the stops last traded, of those that have realised a loss."""
    position, gains = book.base, dict.fromkeys(stops, ZERO)
    last: dict[OrderId, datetime] = {}
    for fill in sorted(book.fills.values(), key=place):
        after = traded(position, signed(fill), fill.price)
        if fill.order_id in stops:
            gains[fill.order_id] += after.realized_pnl - position.realized_pnl
            last[fill.order_id] = fill.at
        position = after
    return {order_id: at for order_id, at in last.items() if gains[order_id] < 0}
