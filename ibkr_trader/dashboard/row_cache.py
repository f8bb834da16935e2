"""Rows that were drawn before: one that has not changed costs a look-up, not its formatting.

The panels stay functions of what they are given. A cache only remembers, so a screen drawn
with a used cache is the screen drawn with a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from ibkr_trader.dashboard.model import Model, Panel
from ibkr_trader.dashboard.rows import place_of, rows_of, source_of
from ibkr_trader.dashboard.spans import Line, Span, cells

T = TypeVar("T")
_MOST = 4_096  # rows: beyond it, the cache begins anew


class Entry:
    """One row: its cells, how wide each is, and the line they made last."""

    __slots__ = ("cells", "extra", "line", "look", "needs", "row")

    def __init__(self, row: Any, extra: Any, pieces: tuple[Span, ...]) -> None:
        self.row = row
        self.extra = extra
        self.cells = pieces
        self.needs = tuple(cells(piece.text) for piece in pieces)
        self.look: Any = None
        self.line: Line = ()


class RowCache:
    """What was drawn before, bounded; one for each screen."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._entries: dict[Hashable, Entry] = {}
        self._kept: dict[str, tuple[Any, Any]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def entry(
        self, key: Hashable, row: Any, *, extra: Any, make: Callable[[Any, Any], tuple[Span, ...]]
    ) -> Entry:
        """Return the cells of a row; `make(row, extra)` is called if either has changed."""
        found = self._entries.get(key)
        if found is not None and found.extra == extra and (found.row is row or found.row == row):
            return found
        if len(self._entries) >= self._most:
            self._entries.clear()
        made = self._entries[key] = Entry(row, extra, make(row, extra))
        return made

    def kept(self, name: str, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Return what `make` returned for these inputs last time, or make it."""
        found = self._kept.get(name)
        if found is not None and found[0] == inputs:
            result: T = found[1]
            return result
        made = make()
        self._kept[name] = (inputs, made)
        return made

    def rows(self, model: Model, panel: Panel) -> Sequence[Any]:
        """Return a panel's rows as `rows.rows_of` does, without filtering the same ones again."""
        source = source_of(model, panel)
        wish = (model.filter, model.sorting.get(panel))
        found = self._kept.get(panel.name)
        if found is not None and found[0][0] is source and found[0][1] == wish:
            rows: Sequence[Any] = found[1]
            return rows
        made = rows_of(model, panel)
        self._kept[panel.name] = ((source, wish), made)
        return made

    def place(self, model: Model, panel: Panel, rows: Sequence[Any]) -> int:
        """Return where the cursor stands, as `rows.place_of` does."""
        name = f"place {panel.name}"
        wanted = model.selected.get(panel, "")
        found = self._kept.get(name)
        if found is not None and found[0][0] is rows and found[0][1] == wanted:
            return int(found[1])
        made = place_of(model, panel, rows)
        self._kept[name] = ((rows, wanted), made)
        return made
