"""What all panels have in common: a border line with a title, and their exact size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ibkr_trader.dashboard.model import Sorting
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.spans import Line, Span, cells, fit, padded, safe, say, wrapped

_NAME = 32  # letters of what is said of a row that is gone


class Frame(NamedTuple):
    """The room that a panel has, and how it stands.

    Attributes:
        facts: What the title says besides the name: count, filter, sorting.
        place: The row under the cursor; None in a panel where none was chosen.
        is_focused: Keys go to it.
        is_stale: The trader is gone, and this is how things were.
        filter: What was typed to see only some rows.
        lost: The row that went away under the cursor: no key acts on the one that is there now.
    """

    width: int
    height: int
    cache: RowCache
    facts: str = ""
    place: int | None = None
    is_focused: bool = False
    is_stale: bool = False
    filter: str = ""
    lost: str = ""


def counted(total: int, shown: int, *, wanted: str = "", sorting: Sorting | None = None) -> str:
    """Return what a title says of its rows: `12/500 filter "aapl" sorted by Age`."""
    words = [f'{shown}/{total} filter "{wanted}"' if wanted else str(total)]
    if sorting is not None and sorting.column:
        words.append(f"sorted by {sorting.column}{' ↓' if sorting.is_descending else ''}")
    return " ".join(words)


def title_line(name: str, frame: Frame, *, right: str = "") -> Line:
    """Return a panel's border: heavy and with a mark if keys go to it."""
    dash, mark = ("━", "▶") if frame.is_focused else ("─", " ")
    role = Role.FOCUS if frame.is_focused else Role.RULE
    told = f"{mark}{name} "
    pieces = [Span(dash, role), Span(told, Role.FOCUS if frame.is_focused else Role.TITLE)]
    if frame.is_stale:
        pieces += [Span(" STALE ", Role.STALE), Span(" ")]
    if frame.lost:
        pieces += [say(f" {frame.lost[:_NAME]} ", Role.PENDING), Span(" ")]
    room = frame.width - sum(cells(piece.text) for piece in pieces)
    facts = f"{safe(frame.facts)} " if frame.facts else ""
    if cells(facts) >= room:
        return padded([*pieces, Span(fit(facts, max(0, room)))], frame.width)
    pieces.append(Span(facts))
    room -= cells(facts)
    end = f" {safe(right)} {dash}" if right else ""
    if cells(end) + 1 > room:
        end = ""
    rest = dash * (room - cells(end))
    return padded([*pieces, Span(rest, role), Span(end, role)], frame.width)


def sized(lines: Sequence[Line], frame: Frame) -> list[Line]:
    """Return exactly as many lines as the panel is high, blank ones below."""
    short = frame.height - len(lines)
    blank = (Span(" " * frame.width),)
    return [*lines[: frame.height], *([blank] * short)]


def told(text: str, frame: Frame, role: str = Role.DIM) -> list[Line]:
    """Return a sentence on as many lines of the panel as it needs."""
    room = max(1, frame.width - 4)
    return [(Span(fit(f"  {line}", frame.width), role),) for line in wrapped(text, room)]


def nothing(words: str, frame: Frame) -> list[Line]:
    """Return what an empty panel says: that nothing matches, or what to do next."""
    if frame.filter:
        return told(f'Nothing matches "{frame.filter}". Esc or / changes the filter.', frame)
    return told(words, frame)
