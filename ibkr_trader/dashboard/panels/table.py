"""Tables that cost what is seen of them: only visible rows are formatted, and each once.

Columns have ranks. When there is no room for all, those of the highest rank are left out
first; text is cut with an ellipsis, but a figure never is: a cut price is another price.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.frame import Frame
from ibkr_trader.dashboard.row_cache import Entry
from ibkr_trader.dashboard.spans import Line, Span, cells, figure, fit, merged

_MARGIN = 2  # cells for the cursor
_LONG = 24  # cells: a name that is longer may be cut after all


class Column(NamedTuple):
    """A column and the room it asks for.

    Attributes:
        least: Cells that it has at least, so that rows do not jump about.
        rank: 0 stays on every screen; the higher, the sooner it is left out.
        is_figure: Right-aligned, and never cut.
        may_be_cut: It says something without its end. All others leave out columns first.
    """

    title: str
    least: int
    rank: int = 0
    is_figure: bool = False
    may_be_cut: bool = False


class Table(NamedTuple):
    """A kind of table.

    Attributes:
        make: Makes the cells of a row; its second argument is what `context` returned.
        key: What a row is known by among its kind.
        context: What else the cells depend on, as coarse as it is shown: an age, say.
    """

    name: str
    columns: tuple[Column, ...]
    make: Callable[[Any, Any], tuple[Span, ...]]
    key: Callable[[Any], Hashable]
    context: Callable[[Any], Any]
    has_header: bool = True


class Window(NamedTuple):
    """The rows that are seen: from `start` to before `end` of `total`."""

    start: int
    end: int
    total: int

    @property
    def beyond(self) -> str:
        """How many rows there are above and below: `↑3 ↓482`."""
        above, below = self.start, self.total - self.end
        return " ".join([f"↑{above}"] * bool(above) + [f"↓{below}"] * bool(below))


def window(count: int, place: int | None, height: int, *, follows: bool = False) -> Window:
    """Return the rows around `place`; without one the first ones, or the last (`follows`)."""
    height = max(0, height)
    last = max(0, count - height)
    start = last if follows else 0
    if place is not None:
        start = min(last, max(0, place - height // 2))
    return Window(start, min(count, start + height), count)


def table_lines(table: Table, rows: Sequence[Any], *, seen: Window, frame: Frame) -> list[Line]:
    """Return the header and the lines of the rows that are seen."""
    cache = frame.cache
    entries = [
        cache.entry((table.name, table.key(row)), row, extra=table.context(row), make=table.make)
        for row in rows[seen.start : seen.end]
    ]
    room = frame.width - _MARGIN
    needs = tuple(map(max, zip(*(entry.needs for entry in entries), strict=True)))
    widths = _widths(table.columns, needs, room)
    lines = [_header(table.columns, widths, frame.width)] if table.has_header else []
    for number, entry in enumerate(entries, start=seen.start):
        is_held = frame.is_focused and not frame.lost
        mark = "  " if number != frame.place else "▶ " if is_held else "▷ "
        lines.append(_line(entry, table.columns, widths, mark=mark, width=frame.width))
    return lines


@lru_cache(maxsize=512)
def _widths(columns: tuple[Column, ...], needs: tuple[int, ...], room: int) -> tuple[int, ...]:
    """Return how wide each column is; 0 for those that are left out."""
    wanted = [max(c.least, n, cells(c.title)) for c, n in zip(columns, needs, strict=True)]
    least = [_least(c, want) for c, want in zip(columns, wanted, strict=True)]
    shown = set(range(len(columns)))
    droppable = sorted(shown, key=lambda index: columns[index].rank)
    while _total(least, shown) > room and columns[droppable[-1]].rank:
        shown.discard(droppable.pop())
    spare = room - _total(least, shown)
    for index in droppable:  # the most important ones grow first
        if spare > 0:
            more = min(spare, wanted[index] - least[index])
            least[index] += more
            spare -= more
    if spare < 0:
        _shrink(least, shown, -spare)
    return tuple(least[index] if index in shown else 0 for index in range(len(columns)))


def _least(column: Column, wanted: int) -> int:
    if column.is_figure:
        return wanted
    least = max(column.least, cells(column.title))
    return least if column.may_be_cut else max(least, min(wanted, _LONG))


def _total(widths: list[int], shown: set[int]) -> int:
    return sum(widths[index] for index in shown) + len(shown) - 1


def _shrink(widths: list[int], shown: set[int], excess: int) -> None:
    """Take from the widest until all fit: the last resort of a screen that is too narrow."""
    for _ in range(excess):
        widest = max(shown, key=lambda index: widths[index])
        widths[widest] = max(1, widths[widest] - 1)


@lru_cache(maxsize=512)
def _header(columns: tuple[Column, ...], widths: tuple[int, ...], width: int) -> Line:
    titles = [
        fit(column.title, room, right=column.is_figure)
        for column, room in zip(columns, widths, strict=True)
        if room
    ]
    return (Span("  "), Span(fit(" ".join(titles), width - _MARGIN), Role.HEADER))


def _line(
    entry: Entry, columns: tuple[Column, ...], widths: tuple[int, ...], *, mark: str, width: int
) -> Line:
    """Return a row's line; the one of before if nothing about it has changed."""
    look = (mark, width, widths)
    if entry.look == look:
        return entry.line
    pieces = [Span(mark)]
    used = _MARGIN
    for cell, column, room in zip(entry.cells, columns, widths, strict=True):
        if not room:
            continue
        if len(pieces) > 1:
            pieces.append(Span(" "))
            used += 1
        text = figure(cell.text, room) if column.is_figure else fit(cell.text, room)
        pieces.append(Span(text, cell.role))
        used += room
    pieces.append(Span(" " * (width - used)))
    if mark.startswith("▶"):
        pieces = [Span(text, f"{role} {Role.CURSOR}".strip()) for text, role in pieces]
    entry.look, entry.line = look, merged(pieces)
    return entry.line
