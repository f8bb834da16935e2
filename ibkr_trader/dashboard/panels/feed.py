"""Everything that happened: fills, changes, refusals, keys. The newest line is the last one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.frame import Frame, nothing, sized, title_line
from ibkr_trader.dashboard.panels.table import Column, Table, table_lines, window
from ibkr_trader.dashboard.scene import FeedKind, FeedLine
from ibkr_trader.dashboard.spans import Line, Span, say

EMPTY = "Nothing has happened yet. Fills, changes, refusals and keys appear here."
_COLUMNS = (Column("Time", 8), Column("", 7), Column("What", 20, may_be_cut=True))
_KINDS: dict[FeedKind, Span] = {
    FeedKind.FILL: Span("FILL", Role.FILL),
    FeedKind.CHANGE: Span("change", Role.CHANGE),
    FeedKind.REFUSAL: Span("REFUSED", Role.REFUSAL),
    FeedKind.KEY: Span("key", Role.PRESS),
    FeedKind.ALERT: Span("ALERT", Role.ALERT),
    FeedKind.NOTE: Span("note", Role.DIM),
}


def feed_panel(rows: Sequence[FeedLine], frame: Frame, *, zone: tzinfo) -> list[Line]:
    """Return the panel; without a cursor it follows what happens."""
    seen = window(len(rows), frame.place, frame.height - 1, follows=True)
    lines = [title_line("Activity", frame, right=seen.beyond)]
    if not rows:
        return sized([*lines, *nothing(EMPTY, frame)], frame)
    table = Table("feed", _COLUMNS, _cells, _key, lambda _: zone, has_header=False)
    return sized([*lines, *table_lines(table, rows, seen=seen, frame=frame)], frame)


def _key(row: FeedLine) -> int:
    return row.number


def _cells(row: FeedLine, zone: tzinfo) -> tuple[Span, ...]:
    role = Role.ALERT if row.kind is FeedKind.ALERT else Role.PLAIN
    return (
        Span(f"{row.at.astimezone(zone):%H:%M:%S}", Role.DIM),
        _KINDS[row.kind],
        say(row.text, role),
    )
