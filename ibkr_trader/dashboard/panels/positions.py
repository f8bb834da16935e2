"""Positions with what protects them: the stop, how far it is, and how much it covers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ibkr_trader.core.lapses import exact
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import UNKNOWN, average, money, percent, price, quantity
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.bars import bar, in_percent
from ibkr_trader.dashboard.panels.frame import Frame, nothing, sized, title_line
from ibkr_trader.dashboard.panels.table import Column, Table, table_lines, window
from ibkr_trader.dashboard.scene import PositionRow
from ibkr_trader.dashboard.spans import Line, Span, say

EMPTY = (
    "No positions. In another terminal:  "
    "ibkr-trader bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
)
_BAR = 8
_COLUMNS = (
    Column("Symbol", 7),
    Column("Qty", 6, is_figure=True),
    Column("Average", 8, 5, is_figure=True),
    Column("Last", 8, 3, is_figure=True),
    Column("P&L", 10, is_figure=True),
    Column("Stop", 8, is_figure=True),
    Column("Target", 8, 4, is_figure=True),
    Column("To stop", 7, 2, is_figure=True),
    Column("R", 6, 1, is_figure=True),
    Column("COVER", 13),
    Column("", _BAR, 6),
    Column("Remarks", 20, 7, may_be_cut=True),
)


def positions_panel(rows: Sequence[PositionRow], frame: Frame, *, now: datetime) -> list[Line]:
    """Return the panel; naked times count up to `now`."""
    seen = window(len(rows), frame.place, frame.height - 2)
    lines = [title_line("Positions", frame, right=seen.beyond)]
    if not rows:
        return sized([*lines, *nothing(EMPTY, frame)], frame)
    table = Table("positions", _COLUMNS, _cells, _key, lambda row: _naked_for(row, now))
    return sized([*lines, *table_lines(table, rows, seen=seen, frame=frame)], frame)


def is_naked(row: PositionRow) -> bool:
    """Whether some part of it is without a stop."""
    return bool(row.quantity) and (row.naked_since is not None or row.coverage < 1)


def _key(row: PositionRow) -> int:
    return row.con_id


def _naked_for(row: PositionRow, now: datetime) -> str:
    """How long a part of it has been naked; empty if none is, or if nobody knows since when."""
    if not is_naked(row) or row.naked_since is None:
        return ""
    return exact(row.naked_since, now)


def _cells(row: PositionRow, naked_for: str) -> tuple[Span, ...]:
    return (
        say(row.symbol),
        Span(quantity(row.quantity, signed=True), Role.BUY if row.quantity > 0 else Role.SELL),
        Span(average(row.average)),
        Span(price(row.last)),
        signed_money(row.pnl),
        Span(price(row.stop)),
        Span(price(row.target)),
        Span(percent(row.distance_fraction, digits=1)),
        signed_money(row.r),
        _cover(row, naked_for),
        Span(bar(row.coverage, _BAR), Role.NAKED if is_naked(row) else Role.GOOD),
        say("; ".join(row.remarks), Role.WARNING),
    )


def signed_money(value: Decimal | None) -> Span:
    """Return a gain or a loss with its sign."""
    if value is None:
        return Span(UNKNOWN)
    role = Role.PROFIT if value > ZERO else Role.LOSS if value < ZERO else Role.PLAIN
    return Span(money(value, signed=True), role)


def _cover(row: PositionRow, naked_for: str) -> Span:
    """What stops would end, in words first: a wrong glance at this column costs most."""
    words = ["CLOSING"] if row.is_closing else []
    role = Role.PENDING if row.is_closing else Role.GOOD
    if is_naked(row):
        words += ["NAKED", naked_for] if naked_for else ["NAKED"]
        words += [in_percent(row.coverage)] if row.coverage > ZERO else []
        role = Role.NAKED
    elif not row.is_closing:
        words.append(in_percent(row.coverage))
    if row.surplus:
        words.append(f"OVER {quantity(row.surplus)}")
        role = role if role == Role.NAKED else Role.WARNING
    return Span(" ".join(words), role)
