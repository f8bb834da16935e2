"""How much of each limit is in use, what moves together, and what an order costs in messages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ibkr_trader.core.text import average
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.bars import bar, fullness, in_percent
from ibkr_trader.dashboard.panels.frame import Frame, nothing, sized, title_line
from ibkr_trader.dashboard.panels.table import Column, Table, table_lines, window
from ibkr_trader.dashboard.scene import GaugeRow
from ibkr_trader.dashboard.spans import Line, Span, fit, say

EMPTY = "No limit is in use yet. In another terminal:  ibkr-trader limits"
_BAR = 8
_COLUMNS = (
    Column("Limit", 14, may_be_cut=True),
    Column("", _BAR, 1),
    Column("Use", 10),
    Column("Used of limit", 13, is_figure=True),
    Column("", 8, 3, may_be_cut=True),
)


def risk_panel(
    rows: Sequence[GaugeRow],
    frame: Frame,
    *,
    warnings: Sequence[str] = (),
    efficiency: Decimal | None = None,
) -> list[Line]:
    """Return the panel: warnings above, for nobody may scroll past them, limits below."""
    told = _warnings(warnings, frame)
    facts = [frame.facts]
    if warnings:
        facts.append(f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}")
    if efficiency is not None:
        facts.append(f"{average(efficiency)} messages a traded order")
    framed = frame._replace(facts=", ".join(fact for fact in facts if fact))
    is_tall = frame.height - len(told) > 3  # noqa: PLR2004  # title, header, and two limits
    seen = window(len(rows), frame.place, frame.height - len(told) - 1 - is_tall)
    lines = [title_line("Risk", framed, right=seen.beyond), *told]
    if not rows:
        return sized([*lines, *([] if told else nothing(EMPTY, frame))], frame)
    table = Table("risk", _COLUMNS, _cells, _key, lambda _: None, has_header=is_tall)
    return sized([*lines, *table_lines(table, rows, seen=seen, frame=frame)], frame)


def _warnings(warnings: Sequence[str], frame: Frame) -> list[Line]:
    """As many as a third of the panel holds; the last line says how many more there are."""
    room = min(len(warnings), max(1, frame.height // 3))
    lines = [f"! {text}" for text in warnings[:room]]
    if room < len(warnings):
        more = len(warnings) - room
        lines[-1] = f"! (+{more}) {warnings[room - 1]}" if room else ""
    return [(Span(fit(line, frame.width), Role.WARNING),) for line in lines]


def _key(row: GaugeRow) -> str:
    return row.name


def _cells(row: GaugeRow, _: None) -> tuple[Span, ...]:
    word, role = fullness(row.share)
    return (
        say(row.name),
        Span(bar(row.share, _BAR), role),
        Span(_use(row, word), role),
        say(f"{row.used} of {row.limit}"),
        say(row.note, Role.DIM),
    )


def _use(row: GaugeRow, word: str) -> str:
    return f"{in_percent(row.share)} {word}".strip() if row.share is not None else word
