"""The active orders as a table: what may be done about each, and nothing that is no text."""

from __future__ import annotations

import io
from decimal import Decimal

from rich.console import Console

from ibkr_trader.dashboard.order_panel import ACTIONS, HEADERS, OrderManagementPanel
from ibkr_trader.dashboard.scene import OrderRow


def row(**changes: object) -> OrderRow:
    fields = {
        "order_id": "k7qav-17-stop",
        "short": "17-stop",
        "con_id": 265598,
        "symbol": "AAPL",
        "ticker": "AAPL",
        "side": "SELL",
        "quantity": Decimal(1200),
        "kind": "STOP",
        "terms": "145.00",
        "status": "SUBMITTED",
    }
    return OrderRow(**(fields | changes))  # type: ignore[arg-type] # as the row's fields are


def shown(*rows: OrderRow) -> str:
    screen = io.StringIO()
    console = Console(file=screen, width=200, force_terminal=True, color_system="truecolor")
    console.print(OrderManagementPanel(rows).render())
    return screen.getvalue()


def test_each_order_stands_with_what_can_be_done_about_it() -> None:
    table = OrderManagementPanel([row(), row(short="18-entry")]).render()
    assert table.title == "Active Orders"
    assert tuple(column.header for column in table.columns) == HEADERS
    assert HEADERS == ("ID", "Symbol", "Side", "Qty", "Type", "Status", "Actions")
    assert table.row_count == 2
    text = shown(row())
    for cell in ("17-stop", "AAPL", "SELL", "1,200", "STOP", "SUBMITTED", ACTIONS):
        assert cell in text
    assert ACTIONS == "[C] Cancel | [M] Modify"


def test_no_text_is_markup() -> None:
    text = shown(row(symbol="[red]A[/red]", status="[link=x]:warning: \\[b]", kind="\x1b[31mX"))
    assert "[red]A[/red]" in text
    assert "[link=x]:warning: \\[b]" in text
    assert "\x1b[31m" not in text


def test_a_strangers_order_offers_nothing() -> None:
    assert ACTIONS not in shown(row(is_foreign=True))


def test_no_orders_are_an_empty_table() -> None:
    assert OrderManagementPanel([]).render().row_count == 0
