"""The screen of a model: exactly as many lines as it is high, each exactly as wide as it is.

A pure function. What it costs is what is seen of the tables, and of that only what has
changed: a `RowCache` remembers the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any

from ibkr_trader.dashboard.dialog_view import dialog_box, staged_box
from ibkr_trader.dashboard.footer import footer_line, notice_line
from ibkr_trader.dashboard.layout import (
    BOTTOM,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    Band,
    Extra,
    Part,
    bands,
    is_too_small,
)
from ibkr_trader.dashboard.model import FilterLine, Model, Panel
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.equity import equity_panel
from ibkr_trader.dashboard.panels.feed import feed_panel
from ibkr_trader.dashboard.panels.frame import Frame, counted
from ibkr_trader.dashboard.panels.head import badge, head_lines, state_of
from ibkr_trader.dashboard.panels.orders import orders_panel
from ibkr_trader.dashboard.panels.positions import positions_panel
from ibkr_trader.dashboard.panels.risk import risk_panel
from ibkr_trader.dashboard.panels.signals import signals_panel
from ibkr_trader.dashboard.panels.times import zone_of
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.rows import is_hidden, key_of, source_of
from ibkr_trader.dashboard.scene import Scene
from ibkr_trader.dashboard.spans import (
    Line,
    Span,
    cells,
    fit,
    overlay,
    padded,
    safe,
    wrapped,
)
from ibkr_trader.dashboard.spans import width as width_of

__all__ = ["RowCache", "view"]

_BLANK: Line = ()
_BETWEEN = Span("│", Role.RULE)
_CURSORED = frozenset({Panel.POSITIONS, Panel.ORDERS})  # `rows.chosen` has a row in these


def view(  # noqa: PLR0917 - a model, a size, and a cache: nobody takes one for the other
    model: Model, width: int, height: int, cache: RowCache
) -> tuple[Line, ...]:
    """Return the screen of `model`; `cache` only saves time, whatever it has seen before."""
    if is_too_small(width, height):
        lines = _too_small(model, width)
        return tuple(_framed(lines, width, height))
    if model.scene is None:
        lines = _framed(_waiting(model, width, height), width, height)
    else:
        lines = _screen(model, model.scene, (width, height), cache=cache)
    box = dialog_box(model, width, height - BOTTOM)
    if model.staged is not None:
        box = staged_box(model.staged, model.now, width=width, height=height - BOTTOM)
    if box:
        x = (width - width_of(box[0])) // 2
        lines = overlay(lines, box, x=x, y=max(0, (height - BOTTOM - len(box)) // 2))
    return tuple(lines)


def _framed(lines: Sequence[Line], width: int, height: int) -> list[Line]:
    """Return lines of exactly the screen's size."""
    short = max(0, height - len(lines))
    return [padded(line, width) for line in [*lines, *([_BLANK] * short)][: max(0, height)]]


def _screen(model: Model, scene: Scene, size: tuple[int, int], *, cache: RowCache) -> list[Line]:
    width, height = size
    zone = UTC if model.is_utc else zone_of(scene.head.zone)
    lines = head_lines(scene, width, line=model.line, zone=zone)
    for band in bands(width, height, model.panel):
        lines += _band(band, model, scene, cache=cache, zone=zone)
    rows = cache.rows(model, model.panel)
    place = cache.place(model, model.panel, rows)
    is_chosen = rows and _has_cursor(model, model.panel)
    is_chosen = is_chosen and not _lost(model, model.panel, rows, place=place)
    chosen = rows[place] if is_chosen else None
    return [*lines, notice_line(model, chosen, width), footer_line(model, width)]


def _band(band: Band, model: Model, scene: Scene, *, cache: RowCache, zone: tzinfo) -> list[Line]:
    stacks = [
        [line for part in column for line in _part(part, model, scene, cache=cache, zone=zone)]
        for column in band.columns
    ]
    if len(stacks) == 1:
        return stacks[0]
    left, right = stacks
    return [(*one, _BETWEEN, *two) for one, two in zip(left, right, strict=True)]


def _part(part: Part, model: Model, scene: Scene, *, cache: RowCache, zone: tzinfo) -> list[Line]:
    if isinstance(part.panel, Extra):
        frame = Frame(part.width, part.height, cache, is_stale=not model.line.is_up)
        inputs = (scene.equity, part, frame.is_stale)
        return cache.kept("equity panel", inputs, lambda: equity_panel(scene.equity, frame))
    rows = cache.rows(model, part.panel)
    frame = _frame(part, part.panel, model, rows=rows, cache=cache)
    return _panel(part.panel, rows, frame, model=model, scene=scene, zone=zone)


def _frame(
    part: Part, panel: Panel, model: Model, *, rows: Sequence[Any], cache: RowCache
) -> Frame:
    wanted = model.dialog.text if isinstance(model.dialog, FilterLine) else model.filter
    total = len(source_of(model, panel))
    sorting = model.sorting.get(panel)
    place = cache.place(model, panel, rows) if _has_cursor(model, panel) else None
    return Frame(
        part.width,
        part.height,
        cache,
        facts=counted(total, len(rows), wanted=wanted, sorting=sorting),
        place=place,
        is_focused=panel is model.panel,
        is_stale=not model.line.is_up,
        filter=wanted,
        lost=_lost(model, panel, rows, place=place),
    )


def _lost(model: Model, panel: Panel, rows: Sequence[Any], *, place: int | None) -> str:
    """Return the row that is not under the cursor any more; empty if the right one is.

    `choosing` does not act on the one that is there instead, so nothing may look as if it did.
    """
    lost = model.lost.get(panel)
    if lost is not None:
        return f"{lost.name} is {'hidden' if is_hidden(model, lost) else 'gone'}"
    wanted = model.selected.get(panel, "")
    if place is None or panel not in _CURSORED or not wanted or not rows:
        return ""
    return "" if key_of(rows[place]) == wanted else f"{wanted} is gone"


def _has_cursor(model: Model, panel: Panel) -> bool:
    """Whether a row is chosen: orders and positions have one always, the others if one was."""
    return panel in _CURSORED or bool(model.selected.get(panel))


def _panel(
    panel: Panel, rows: Sequence[Any], frame: Frame, *, model: Model, scene: Scene, zone: tzinfo
) -> list[Line]:
    match panel:
        case Panel.POSITIONS:
            return positions_panel(rows, frame, now=scene.head.now)
        case Panel.ORDERS:
            return orders_panel(rows, frame, now=scene.head.now, cancelling=model.cancelling)
        case Panel.RISK:
            warned, efficiency = scene.warnings, scene.head.efficiency
            return risk_panel(rows, frame, warnings=warned, efficiency=efficiency)
        case Panel.SIGNALS:
            return signals_panel(rows, frame, zone=zone)
        case Panel.FEED:
            return feed_panel(rows, frame, zone=zone)


def _waiting(model: Model, width: int, height: int) -> list[Line]:
    """Before the trader has told anything: who is waited for, and the way out."""
    words = ["ibkr-trader dashboard", "", *wrapped(f"{model.line.words} …", max(1, width - 4))]
    shown = [(Span(fit(_centred(text, width), width)),) for text in words]
    top: list[Line] = [_BLANK] * max(0, (height - len(shown) - BOTTOM) // 2)
    below: list[Line] = [_BLANK] * max(0, height - len(top) - len(shown) - BOTTOM)
    return [*top, *shown, *below, notice_line(model, None, width), footer_line(model, width)]


def _centred(text: str, width: int) -> str:
    return " " * max(0, (width - cells(text)) // 2) + text


def _too_small(model: Model, width: int) -> list[Line]:
    """Say whose desk it is and how it stands, and that something is open which cannot be seen."""
    lines: list[Line] = []
    if model.scene is not None:
        head = model.scene.head
        lines.append((badge(head), Span(" "), state_of(head)))
    lines.append((Span(f"too small: {LEAST_WIDTH}x{LEAST_HEIGHT} at least"),))
    if model.staged is not None:
        lines.append((Span(" goes out: any key stops it ", Role.GRAVE),))
    if model.dialog is not None:
        title = safe(getattr(model.dialog, "title", "filter"))
        lines += [(Span(" esc closes: ", Role.KEY), Span(title))]
    if model.scene is not None and not model.line.is_up:
        lines.append((Span(" STALE ", Role.STALE), Span(f" {safe(model.line.words)}")))
    return [padded(line, width) for line in lines]
