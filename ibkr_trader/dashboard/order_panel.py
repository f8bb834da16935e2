"""The active orders as a table of rich, from the rows that a screen has: a face holds no broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ibkr_trader.core.text import plain, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.dashboard.scene import OrderRow

TITLE = "Active Orders"
HEADERS = ("ID", "Symbol", "Side", "Qty", "Type", "Status", "Actions")
ACTIONS = "[C] Cancel | [M] Modify"
NO_ACTIONS = "placed elsewhere"


class OrderManagementPanel:
    """Shows the orders that may still trade, and what can be done about each."""

    def __init__(self, orders: Iterable[OrderRow]) -> None:
        self._orders = tuple(orders)

    def render(self) -> Table:
        """Return the table; whatever the rows say is text, and never markup or an emoji's name."""
        table = Table(title=TITLE)
        for header in HEADERS:
            table.add_column(header, justify="right" if header == "Qty" else "left")
        for row in self._orders:
            table.add_row(*(Text(plain(cell)) for cell in _cells(row)))
        return table


def _cells(row: OrderRow) -> tuple[str, ...]:
    actions = NO_ACTIONS if row.is_foreign else ACTIONS
    size = quantity(row.quantity)
    return (row.short, row.symbol, row.side, size, row.kind, row.status, actions)
