"""A box that is laid over the screen: a border with a title, lines, and the keys below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.spans import Line, Span, fit, merged, padded, safe, width, wrapped

_BORDER = 4  # cells: two bars, two blanks
_FRAME = 4  # lines: two borders, and the keys below a blank


class Box(NamedTuple):
    """What a box says.

    Attributes:
        body: Its lines; on a screen that is too low, the last ones are left out, and counted.
        last: Lines that are always shown: a fault, the keys.
        is_grave: It costs money, or cannot be taken back: a double border.
        room: Cells for its text.
    """

    title: str
    body: Sequence[Line]
    last: Sequence[Line]
    room: int
    is_grave: bool = False


def text_room(screen: int, wanted: int) -> int:
    """Return how many cells of text a box can hold on a screen of that width."""
    return max(1, min(screen - _BORDER - 2, wanted))


def paragraphs(lines: Sequence[str], room: int, role: str = "") -> list[Line]:
    """Return sentences in full, on as many lines as they need: what is cut is not agreed to."""
    return [(Span(part, role),) for text in lines for part in wrapped(text, room)]


def box_lines(box: Box, height: int) -> list[Line]:
    """Return the box as lines, not more than `height`; title and keys are never left out."""
    role = Role.GRAVE if box.is_grave else Role.BOX
    across, down, corners = ("═", "║", "╔╗╚╝") if box.is_grave else ("─", "│", "┌┐└┘")
    body = list(box.body)
    most = max(0, height - _FRAME - len(box.last) + 1)
    if len(body) > most:
        gone = len(body) - most + 1
        words = f"… {gone} more lines: make the terminal higher"
        body = [*body[: most - 1], (Span(words, Role.WARNING),)] if most else []
    blank: Line = ()
    inner = [*body, *([blank] if body else []), *box.last]
    title = fit(f" {safe(box.title)} ", min(box.room, width((Span(f" {safe(box.title)} "),))))
    rest = across * (box.room + 1 - width((Span(title),)))
    top = (Span(f"{corners[0]}{across}", role), Span(title, Role.TITLE), Span(rest, role))
    lines: list[Line] = [merged((*top, Span(corners[1], role)))]
    for line in inner:
        middle = padded(line, box.room)
        lines.append(merged((Span(f"{down} ", role), *middle, Span(f" {down}", role))))
    lines.append((Span(f"{corners[2]}{across * (box.room + 2)}{corners[3]}", role),))
    return lines[:height]
