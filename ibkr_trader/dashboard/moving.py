"""Where one stands: panels, rows, the filter, the sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.dashboard.model import FilterLine, Lost, Model, Panel, Sorting
from ibkr_trader.dashboard.rows import SORTS, key_of, name_of, place_of, rows_of
from ibkr_trader.dashboard.steps import replaced, say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.steps import Step

PAGE = 10  # rows
LONGEST = 40  # letters of a filter
_PANELS = tuple(Panel)
ACTED_ON = (Panel.POSITIONS, Panel.ORDERS)  # a key means the row under the cursor of these


def next_panel(model: Model, *, by: int = 1) -> Step:
    """Go to the next panel, round and round."""
    place = (_PANELS.index(model.panel) + by) % len(_PANELS)
    return stay(model, panel=_PANELS[place])


def move(model: Model, *, by: int) -> Step:
    """Go down by so many rows, and no further than the last one."""
    panel = model.panel
    lost = {one: row for one, row in model.lost.items() if one is not panel}
    rows = rows_of(model, panel)
    if not rows:
        return stay(model, lost=lost)
    if not model.selected.get(panel) and panel not in ACTED_ON and abs(by) <= PAGE:
        by = 0  # no cursor was there: the first key shows it
    place = max(0, min(place_of(model, panel, rows) + by, len(rows) - 1))
    key = key_of(rows[place])
    if panel is Panel.FEED and by > PAGE:
        key = ""  # at the end it follows what happens
    return stay(model, selected={**model.selected, panel: key}, lost=lost)


def settled(before: Model, after: Model) -> Model:
    """Return `after` with each cursor on a row that is there.

    A cursor stays on its row. If that is gone, a neighbour is shown, but `Model.lost` keeps
    keys from acting on it: nobody has chosen it. A row that only the filter hid is chosen
    again once it shows.
    """
    if after.scene is before.scene and after.filter == before.filter:
        return after
    for panel in ACTED_ON:
        after = _settled(before, after, panel)
    return after


def _settled(before: Model, after: Model, panel: Panel) -> Model:
    keys = [key_of(row) for row in rows_of(after, panel)]
    lost, wanted = after.lost.get(panel), after.selected.get(panel, "")
    is_news = after.scene is not before.scene
    if lost is not None and not is_news and lost.key in keys:
        others = {one: row for one, row in after.lost.items() if one is not panel}
        return replaced(after, selected={**after.selected, panel: lost.key}, lost=others)
    if wanted in keys:
        return after
    if not wanted:  # nothing was shown before: the first row is where a cursor begins
        return replaced(after, selected={**after.selected, panel: keys[0] if keys else ""})
    olds = rows_of(before, panel)
    place = place_of(before, panel, olds)
    near = [key_of(row) for row in (*olds[place:], *reversed(olds[:place]))]
    there = next((key for key in (*near, *keys) if key in keys), "")
    if lost is None or is_news:
        name = next((name_of(row) for row in olds if key_of(row) == wanted), wanted)
        lost = Lost(wanted, name)
    return replaced(
        after,
        selected={**after.selected, panel: there},
        lost={**after.lost, panel: lost},
    )


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
            return _filtered(model)
        case "escape":
            return stay(model, dialog=None, filter=line.was)
        case "backspace":
            text = line.text[:-1]
        case "ctrl-u":
            text = ""
        case _ if len(key) == 1 and key.isprintable():
            text = (line.text + key)[:LONGEST]
        case _:
            return stay(model)
    return stay(model, dialog=FilterLine(text=text, was=line.was), filter=text)


def _filtered(model: Model) -> Step:
    """Take the filter as it is: who sees what is left chooses the row that is shown.

    Unless the row under the cursor is not hidden but gone, which nobody has asked for.
    """
    scene = model.scene
    there = {*scene.orders, *(key_of(row) for row in scene.positions)} if scene else set()
    lost = {panel: row for panel, row in model.lost.items() if row.key not in there}
    return stay(model, dialog=None, lost=lost)
