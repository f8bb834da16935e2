"""What signals and rules led to, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.frame import Frame, nothing, sized, title_line
from ibkr_trader.dashboard.panels.table import Column, Table, table_lines, window
from ibkr_trader.dashboard.scene import Came, Decision
from ibkr_trader.dashboard.spans import Line, Span, say

EMPTY = "No rule has decided anything yet, and no signal has come in."
_COLUMNS = (
    Column("Time", 8),
    Column("From", 10, rank=1, may_be_cut=True),
    Column("", 7),
    Column("Decision", 20, may_be_cut=True),
)
_CAME: dict[Came, Span] = {
    Came.ACTED: Span("acted", Role.GOOD),
    Came.NOTHING: Span("nothing", Role.DIM),
    Came.REFUSED: Span("REFUSED", Role.REFUSAL),
    Came.DENIED: Span("DENIED", Role.REFUSAL),
    Came.FAILED: Span("FAILED", Role.FAULT),
    Came.UNKNOWN: Span("UNKNOWN", Role.UNKNOWN),
    Came.WOULD: Span("would", Role.DIM),
    Came.NOTE: Span("note", Role.DIM),
    Came.ALERT: Span("ALERT", Role.ALERT),
}


def signals_panel(rows: Sequence[Decision], frame: Frame, *, zone: tzinfo) -> list[Line]:
    """Return the panel; without a cursor it shows the newest, at whichever end they are."""
    follows = bool(rows) and rows[0].at <= rows[-1].at
    seen = window(len(rows), frame.place, frame.height - 1, follows=follows)
    lines = [title_line("Signals and rules", frame, right=seen.beyond)]
    if not rows:
        return sized([*lines, *nothing(EMPTY, frame)], frame)
    table = Table("signals", _COLUMNS, _cells, _key, lambda _: zone, has_header=False)
    return sized([*lines, *table_lines(table, rows, seen=seen, frame=frame)], frame)


def _key(row: Decision) -> Decision:
    return row


def _cells(row: Decision, zone: tzinfo) -> tuple[Span, ...]:
    return (
        Span(f"{row.at.astimezone(zone):%H:%M:%S}", Role.DIM),
        say(row.source),
        _CAME[row.came],
        say(row.text),
    )
