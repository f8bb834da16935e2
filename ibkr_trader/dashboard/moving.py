"""Where one stands: panels, rows, the filter, the sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.dashboard.model import FilterLine, Model, Panel, Sorting
from ibkr_trader.dashboard.rows import SORTS, key_of, place_of, rows_of
from ibkr_trader.dashboard.steps import say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.steps import Step

PAGE = 10  # rows
_PANELS = tuple(Panel)


def next_panel(model: Model, *, by: int = 1) -> Step:
    """Go to the next panel, round and round."""
    place = (_PANELS.index(model.panel) + by) % len(_PANELS)
    return stay(model, panel=_PANELS[place])


def move(model: Model, *, by: int) -> Step:
    """Go down by so many rows, and no further than the last one."""
    rows = rows_of(model, model.panel)
    if not rows:
        return stay(model)
    place = place_of(model, model.panel, rows) + by
    row = rows[max(0, min(place, len(rows) - 1))]
    return stay(model, selected={**model.selected, model.panel: key_of(row)})


def sort(model: Model) -> Step:
    """Sort by the next column: upwards, downwards, then the next; at last as the trader has it."""
    ways = [Sorting()]
    for name, _ in SORTS.get(model.panel, ()):
        ways += [Sorting(name), Sorting(name, is_descending=True)]
    now = model.sorting.get(model.panel, Sorting())
    if len(ways) == 1:
        return say(model, f"{model.panel.value} has an order of its own")
    after = ways[(ways.index(now) + 1) % len(ways)]
    return stay(model, sorting={**model.sorting, model.panel: after})


def begin_filter(model: Model) -> Step:
    """Type what the rows must have in them."""
    return stay(model, dialog=FilterLine(text=model.filter, was=model.filter))


def filtering(model: Model, line: FilterLine, key: str) -> Step:
    """Follow a key of the filter: what is typed holds at once, Esc takes it back."""
    match key:
        case "enter":
            return stay(model, dialog=None)
        case "escape":
            return stay(model, dialog=None, filter=line.was)
        case "backspace":
            text = line.text[:-1]
        case "ctrl-u":
            text = ""
        case _ if len(key) == 1:
            text = (line.text + key)[:_LONGEST]
        case _:
            return stay(model)
    return stay(model, dialog=FilterLine(text=text, was=line.was), filter=text)


_LONGEST = 40
