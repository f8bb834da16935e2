"""Which order or position a key is about: what was typed, or else the row under the cursor.

And whether that still stands when somebody says yes to it: pictures come while one decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.ids import FOREIGN
from ibkr_trader.dashboard.model import Model, Panel
from ibkr_trader.dashboard.rows import chosen, key_of
from ibkr_trader.dashboard.scene import OrderRow, PositionRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.dashboard.effects import Act

ADOPT = "recover.adopt"
NO_ORDER = "no order is chosen: Tab to the orders, or type an order's number first"
NO_POSITION = "no position is chosen: Tab to the positions, or to an order of one"


def orders_of(model: Model) -> tuple[OrderRow, ...]:
    """Return every order that may still trade."""
    return tuple(model.scene.orders.values()) if model.scene is not None else ()


def order_meant(model: Model) -> OrderRow | str:
    """Return the order that was typed or stands under the cursor; or why there is none.

    Only a cursor that one is moving counts: that of another panel is not what one looks at.
    """
    if model.typed_id:
        return _typed(model.typed_id, orders_of(model))
    if model.panel is not Panel.ORDERS:
        return NO_ORDER
    row = _under_cursor(model)
    return row if isinstance(row, OrderRow | str) else "there is no order here"


def position_meant(model: Model) -> PositionRow | str:
    """Return the position under the cursor, or that of the order under it; or why there is none."""
    if model.typed_id or model.panel is Panel.ORDERS:
        order = order_meant(model)
        if isinstance(order, str):
            return order
        held = held_in(model, order.con_id)
        return held if held is not None else f"nothing is held in {order.symbol}"
    if model.panel is not Panel.POSITIONS:
        return NO_POSITION
    row = _under_cursor(model)
    return row if isinstance(row, PositionRow | str) else "nothing is held"


def held_in(model: Model, con_id: int) -> PositionRow | None:
    """Return what is held of a contract now."""
    positions = model.scene.positions if model.scene is not None else ()
    return next((one for one in positions if one.con_id == con_id and one.quantity), None)


def terms_of(row: OrderRow) -> tuple[object, ...]:
    """Return what a person decides on: once it is another, nothing is decided any more."""
    return (row.side, row.quantity, row.limit, row.stop, row.terms)


def outdated(model: Model, act: Act) -> str:
    """Return why `act` is not about what it was about when it was shown; empty if it still is."""
    orders = {row.order_id for row in orders_of(model)}
    named = act.options.get("orders")
    one = act.options.get("order")
    if isinstance(one, list):  # by their permanent ids: `adopt`
        named, one = [f"{FOREIGN}-{perm_id}" for perm_id in one], None
    wanted = {*(named if isinstance(named, list) else ()), *([one] if one else ())}
    if wanted - orders:
        return f"{act.words}: it is no longer active; nothing was sent"
    if act.options.get("everything") and all(row.is_foreign for row in orders_of(model)):
        return "there is no order of ours to cancel any more"
    if act.command in {"revise.close", ADOPT} and not wanted:
        positions = model.scene.positions if model.scene is not None else ()
        symbol = act.options.get("symbol")
        if not any(one.ticker == symbol and one.quantity for one in positions):
            return f"nothing is held in {symbol} any more; nothing was sent"
    return ""


def _under_cursor(model: Model) -> object:
    """The row under the cursor; words if the cursor is only there because its own row is gone."""
    lost = model.lost.get(model.panel)
    row = chosen(model, model.panel)
    wanted = model.selected.get(model.panel, "")
    name = lost.name if lost is not None else wanted
    if lost is None and (row is None or wanted in {"", key_of(row)}):
        return row
    return f"{name} is not in the list any more: move with j or k to choose another row first"


def _typed(text: str, orders: Iterable[OrderRow]) -> OrderRow | str:
    """The order that a number means, as the screen shows it: `No.`, or the beginning of the id.

    `#17` is the broker's number alone, `17-` ours alone. What fits two orders fits none: which
    of two columns somebody has read the number from, nobody knows.
    """
    number = text.removeprefix("#")
    found = [
        row
        for row in orders
        if (row.number and str(row.number) == number)
        or text in {row.short, row.order_id}
        or _begins(row.short, text)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(_told(row) for row in found[:4])
        more = f" (+{len(found) - 4})" if len(found) > 4 else ""  # noqa: PLR2004 - as many as are named
        return f"{text} means {len(found)} orders: {names}{more}; nothing was done"
    return f"no active order has the number {text}; nothing was done"


def _begins(short: str, text: str) -> bool:
    return short.startswith(f"{text.removesuffix('-')}-")


def _told(row: OrderRow) -> str:
    return f"{row.short} (#{row.number})" if row.number else row.short
