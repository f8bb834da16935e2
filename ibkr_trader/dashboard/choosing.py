"""Which order or position a key is about: what was typed, or else the row under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.dashboard.model import Model, Panel
from ibkr_trader.dashboard.rows import chosen
from ibkr_trader.dashboard.scene import OrderRow, PositionRow

if TYPE_CHECKING:
    from collections.abc import Iterable


def order_meant(model: Model) -> OrderRow | str:
    """Return the order that was typed or stands under the cursor; or why there is none.

    A number is the broker's, and before that one of ours: `17` is the group, if it has one order
    alone, `17-stop` is exact.
    """
    orders = model.scene.orders.values() if model.scene is not None else ()
    if model.typed_id:
        return _typed(model.typed_id, orders)
    row = chosen(model, Panel.ORDERS) if model.panel is not Panel.POSITIONS else None
    if isinstance(row, OrderRow):
        return row
    return "no order is chosen: Tab to the orders, or type an order's number first"


def position_meant(model: Model) -> PositionRow | str:
    """Return the position under the cursor, or that of the order under it; or why there is none."""
    positions = model.scene.positions if model.scene is not None else ()
    if model.typed_id or model.panel is Panel.ORDERS:
        order = order_meant(model)
        if isinstance(order, str):
            return order
        held = [one for one in positions if one.con_id == order.con_id]
        return held[0] if held else f"nothing is held in {order.symbol}"
    row = chosen(model, Panel.POSITIONS)
    if isinstance(row, PositionRow):
        return row
    return "nothing is held"


def _typed(text: str, orders: Iterable[OrderRow]) -> OrderRow | str:
    found = [row for row in orders if str(row.number) == text]
    found = found or [row for row in orders if text in (row.short, row.order_id)]
    found = found or [row for row in orders if row.short.startswith(f"{text}-")]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(row.short for row in found[:4])
        return f"{text} means {len(found)} orders: {names}; nothing was done"
    return f"no active order has the number {text}; nothing was done"
