"""Orders that may still trade: what each would do, and how sure that is."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from ibkr_trader.core.lapses import age
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.frame import Frame, nothing, sized, title_line
from ibkr_trader.dashboard.panels.table import Column, Table, table_lines, window
from ibkr_trader.dashboard.scene import OrderRow
from ibkr_trader.dashboard.spans import Line, Span, say

EMPTY = (
    "No active orders. In another terminal:  "
    "ibkr-trader bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
)
KEYS = "[C] Cancel | [M] Modify"

# TWS's own words for what is too long for a column.
_KINDS = {
    "MARKET": "MKT",
    "LIMIT": "LMT",
    "STOP": "STP",
    "STOP LIMIT": "STP LMT",
    "TRAIL LIMIT": "TRAIL LMT",
    "MARKET IF TOUCHED": "MIT",
    "LIMIT IF TOUCHED": "LIT",
    "MARKET ON CLOSE": "MOC",
    "LIMIT ON CLOSE": "LOC",
}
_STATUSES = {"PARTIALLY FILLED": "PART FILLED"}
_STATUS_ROLES = {"PENDING": Role.PENDING, "INACTIVE": Role.WARNING}
_ASKED = {"PENDING CANCEL": "CANCEL ASKED", "PENDING MODIFY": "CHANGE ASKED"}

_COLUMNS = (
    Column("ID", 8, may_be_cut=True),
    Column("No.", 4, 3, is_figure=True),
    Column("Symbol", 7),
    Column("Side", 4),
    Column("Qty", 5, is_figure=True),
    Column("Filled", 6, 2, is_figure=True),
    Column("Type", 4, 1),
    Column("Price", 9, is_figure=True),
    Column("Status", 12),
    Column("TIF", 3, 8),
    Column("Group", 5, 6, may_be_cut=True),
    Column("Role", 9, 7, may_be_cut=True),
    Column("Age", 3, 4, is_figure=True),
    Column("Rule", 8, 5, may_be_cut=True),
    Column("Note", 12, 9, may_be_cut=True),
)


def orders_panel(
    rows: Sequence[OrderRow], frame: Frame, *, now: datetime, cancelling: Container[str] = ()
) -> list[Line]:
    """Return the panel; ages count up to `now`, `cancelling` were asked to go from here."""
    seen = window(len(rows), frame.place, frame.height - 2)
    right = "  ".join(part for part in (seen.beyond, KEYS) if part)
    lines = [title_line("Orders", frame, right=right if rows else "")]
    if not rows:
        return sized([*lines, *nothing(EMPTY, frame)], frame)

    def context(row: OrderRow) -> tuple[str, bool]:
        return age(row.created_at, now), row.order_id in cancelling

    table = Table("orders", _COLUMNS, _cells, _key, context)
    return sized([*lines, *table_lines(table, rows, seen=seen, frame=frame)], frame)


def status_of(row: OrderRow, *, is_cancelling: bool = False) -> Span:
    """Return where an order stands; what nobody knows, and what is only asked for, first.

    `is_cancelling` is what was asked for from here, before the trader has shown it.
    """
    status = row.status.replace("_", " ").upper()
    if row.is_unknown or status == "UNKNOWN":
        return Span("UNKNOWN", Role.UNKNOWN)
    if is_cancelling:
        return Span(_ASKED["PENDING CANCEL"], Role.PENDING)
    if status in _ASKED:
        return Span(_ASKED[status], Role.PENDING)
    if row.is_pending:
        return Span("UNCONFIRMED", Role.PENDING)
    return say(_STATUSES.get(status, status), _STATUS_ROLES.get(status, Role.PLAIN))


def kind_of(row: OrderRow) -> str:
    """Return an order's type in as few letters as TWS needs."""
    kind = row.kind.replace("_", " ").upper()
    return _KINDS.get(kind, kind)


def side_role(side: str) -> Role:
    """Return the role of a side; its word says it, too."""
    return {"BUY": Role.BUY, "SELL": Role.SELL}.get(side, Role.PLAIN)


def _key(row: OrderRow) -> str:
    return row.order_id


def _cells(row: OrderRow, context: tuple[str, bool]) -> tuple[Span, ...]:
    told_age, is_cancelling = context
    return (
        say(row.short),
        Span(str(row.number) if row.number else ""),
        say(row.symbol),
        say(row.side, side_role(row.side)),
        Span(quantity(row.quantity)),
        Span(quantity(row.filled), Role.FILL if row.filled > ZERO else Role.DIM),
        say(kind_of(row)),
        say(row.terms),
        status_of(row, is_cancelling=is_cancelling),
        say(row.tif),
        say(row.group),
        say("last stop" if row.is_last_stop else row.role, Role.DIM),
        Span(told_age),
        say("foreign" if row.is_foreign else row.rule, Role.DIM),
        say(row.note, Role.DIM),
    )
