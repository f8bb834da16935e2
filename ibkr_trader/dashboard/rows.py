"""Which rows a panel has, in which order, and where the cursor stands: for keys and view alike.

A row is known by its key, so a cursor stays on its order while others come and go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from ibkr_trader.dashboard.model import Panel, Sorting
from ibkr_trader.dashboard.scene import Decision, FeedLine, GaugeRow, OrderRow, PositionRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ibkr_trader.dashboard.model import Lost, Model

Row: TypeAlias = PositionRow | OrderRow | GaugeRow | Decision | FeedLine

# What `o` goes through, in each panel: the name in the header, and what is compared.
SORTS: dict[Panel, tuple[tuple[str, Callable[[Any], Any]], ...]] = {
    Panel.ORDERS: (
        ("Symbol", lambda row: row.symbol),
        ("Status", lambda row: row.status),
        ("Age", lambda row: row.created_at.timestamp() if row.created_at else 0.0),
    ),
    Panel.POSITIONS: (
        ("Symbol", lambda row: row.symbol),
        ("P&L", lambda row: _figure(row.pnl)),
        ("Cover", lambda row: row.coverage),
    ),
}


def key_of(row: Row) -> str:
    """Return what a row is known by."""
    match row:
        case OrderRow():
            return row.order_id
        case PositionRow():
            return str(row.con_id)
        case GaugeRow():
            return row.name
        case Decision():
            return f"{row.at.isoformat()} {row.source} {row.text}"
        case FeedLine():
            return str(row.number)
        case _:
            assert_never(row)


def name_of(row: Row) -> str:
    """Return what people call an order or a position."""
    match row:
        case OrderRow():
            return row.short
        case PositionRow():
            return row.symbol
        case _:
            return key_of(row)


def source_of(model: Model, panel: Panel) -> Sequence[Row] | Mapping[str, Row]:
    """Return what a panel's rows are made of, before filter and sorting; the scene's very own."""
    scene = model.scene
    if scene is None:
        return ()
    match panel:
        case Panel.POSITIONS:
            return scene.positions
        case Panel.ORDERS:
            return scene.orders
        case Panel.RISK:
            return scene.gauges
        case Panel.SIGNALS:
            return scene.decisions
        case Panel.FEED:
            return scene.feed
        case _:
            assert_never(panel)


def rows_of(model: Model, panel: Panel) -> Sequence[Row]:
    """Return a panel's rows as they are shown, filtered and sorted."""
    source = source_of(model, panel)
    rows: Sequence[Row] = tuple(source.values()) if isinstance(source, Mapping) else source
    if model.filter:
        wanted = model.filter.casefold()
        rows = [row for row in rows if wanted in _text(row).casefold()]
    sorting = model.sorting.get(panel, Sorting())
    for name, figure in SORTS.get(panel, ()):
        if name == sorting.column:
            rows = sorted(rows, key=figure, reverse=sorting.is_descending)
    return rows


def is_hidden(model: Model, lost: Lost) -> bool:
    """Whether a row that went away under the cursor is there all the same, behind the filter."""
    scene = model.scene
    if scene is None or not model.filter:
        return False
    held = {key_of(row) for row in scene.positions}
    return lost.key in scene.orders or lost.key in held


def place_of(model: Model, panel: Panel, rows: Sequence[Row]) -> int:
    """Return at which row the cursor stands; 0 if its row is gone.

    What happens is read from the newest line on, as long as no line is chosen.
    """
    wanted = model.selected.get(panel, "")
    if not wanted and panel in {Panel.FEED, Panel.SIGNALS} and rows:
        return len(rows) - 1 if _time(rows[0]) <= _time(rows[-1]) else 0
    return next((place for place, row in enumerate(rows) if key_of(row) == wanted), 0)


def chosen(model: Model, panel: Panel) -> Row | None:
    """Return the row under the cursor; None in an empty panel."""
    rows = rows_of(model, panel)
    return rows[place_of(model, panel, rows)] if rows else None


def _time(row: Any) -> Any:
    return row.at


def _text(row: Row) -> str:
    """What the filter looks at."""
    names = ("symbol", "short", "side", "kind", "status", "rule", "name", "text", "source")
    words = [str(value) for name in names if (value := getattr(row, name, ""))]
    if isinstance(row, Decision):
        words.append(row.came.value)
    return " ".join(words)


def _figure(value: Any) -> tuple[bool, Any]:
    """What is unknown sorts before everything that is known."""
    return (value is not None, value if value is not None else 0)
