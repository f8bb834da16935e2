"""What is open above the screen: questions, fields to edit, pages to read, a countdown.

Whatever one agrees to stands there in full. The last line names the keys, and Esc is always
the safe one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from ibkr_trader.dashboard.box import Box, box_lines, paragraphs, text_room
from ibkr_trader.dashboard.model import (
    ConfirmDialog,
    EditDialog,
    Field,
    Model,
    Page,
    Staged,
    TypedDialog,
    Weighed,
)
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.bars import bar
from ibkr_trader.dashboard.scene import OrderRow, Scene
from ibkr_trader.dashboard.spans import Line, Span, cells, fit, fit_end, safe, say, wrapped
from ibkr_trader.dashboard.summary import order_sentence, position_sentence

_WIDE = 72  # cells of text in a question
_LABEL = 14
_REDUCES = {
    True: ("It can only lower the risk: Enter sends it at once.", Role.GOOD),
    False: ("It can add risk: after Enter it waits, and any key stops it.", Role.WARNING),
    None: (
        "Nobody knows whether it adds risk: after Enter it waits, and any key stops it.",
        Role.WARNING,
    ),
}


def dialog_box(model: Model, width: int, height: int) -> list[Line]:
    """Return what is open as the lines of a box, narrower and lower than the screen; or none."""
    match model.dialog:
        case EditDialog() as dialog:
            return box_lines(_edit(dialog, model.scene, width), height)
        case ConfirmDialog() as dialog:
            return box_lines(_confirm(dialog, model.now, width), height)
        case TypedDialog() as dialog:
            return box_lines(_typed(dialog, width), height)
        case Page() as page:
            return _page(page, width, height)
        case _:
            return []


def staged_box(staged: Staged, now: float, *, width: int, height: int) -> list[Line]:
    """Return the countdown of something that goes out unless a key is pressed."""
    room = text_room(width, _WIDE)
    lasts, left = max(0.001, staged.ends - staged.begins), max(0.0, staged.ends - now)
    share = Decimal(min(1.0, left / lasts))
    tenths = ceil(left * 10) / 10
    count = f" {tenths:.1f} s"
    what = safe(staged.act.words or staged.act.command)
    gauge = (Span(bar(share, max(1, room - cells(count))), Role.WARNING), Span(count))
    keys = (Span("any key stops it", Role.KEY),)
    body = paragraphs([what], room)
    box = Box("Goes out unless it is stopped", body, (gauge, keys), room, is_grave=True)
    return box_lines(box, height)


def _edit(dialog: EditDialog, scene: Scene | None, width: int) -> Box:
    room = text_room(width, _WIDE)
    body: list[Line] = []
    if dialog.before is not None:
        body += paragraphs(_meanwhile(dialog.before, scene), room, Role.FAULT)
    body += [
        _field(field, room, is_edited=index == dialog.at)
        for index, field in enumerate(dialog.fields)
    ]
    body += _judgement(dialog, room)
    if dialog.position is not None:
        body += paragraphs([position_sentence(dialog.position)], room, Role.DIM)
    if dialog.before is not None:
        body += paragraphs([order_sentence(dialog.before)], room, Role.DIM)
    fault = dialog.fault or _weighed_fault(dialog)
    last: list[Line] = [(Span(fit(fault, room), Role.FAULT),)]
    if dialog.hint:
        last.append((Span(fit(dialog.hint, room), Role.DIM),))
    if "esc" not in dialog.hint.lower():
        keys = [("enter", "go on"), ("esc", "leave it as it is")]
        last.append(_keys([("tab", "next field"), *keys] if len(dialog.fields) > 1 else keys))
    return Box(dialog.title, body, last, room)


def _meanwhile(before: OrderRow, scene: Scene | None) -> list[str]:
    """Say that the order is not what the dialog was opened on any more."""
    if scene is None:
        return []
    row = scene.orders.get(before.order_id)
    if row is None:
        return ["It is no longer active."]
    return [] if row == before else [f"It has changed: {order_sentence(row)}"]


def _field(field: Field, room: int, *, is_edited: bool) -> Line:
    mark = Span("▶ " if is_edited else "  ", Role.KEY)
    label = Span(fit(field.label, min(_LABEL, room // 3)) + " ")
    was = f"  was {safe(field.was)}" if field.was else ""
    left = max(1, room - 3 - cells(label.text))
    was = fit(was, min(cells(was), left // 2))
    text = fit_end(field.text, max(1, left - cells(was)))
    cursor = Span("_" if is_edited else "", f"{Role.FIELD} {Role.CURSOR}")
    changed = safe(field.text) != safe(field.was)
    role = f"{Role.FIELD} {Role.CHANGE}" if changed else Role.FIELD
    return (mark, label, Span(text, role), cursor, Span(was, Role.DIM))


def _current(dialog: EditDialog) -> Weighed | None:
    """Return what the trader says of just these terms; its word on others counts for nothing."""
    typed = tuple(field.text for field in dialog.fields)
    weighed = dialog.weighed
    return weighed if weighed is not None and weighed.typed == typed else None


def _weighed_fault(dialog: EditDialog) -> str:
    weighed = _current(dialog)
    return weighed.fault if weighed is not None else ""


def _judgement(dialog: EditDialog, room: int) -> list[Line]:
    typed = tuple(field.text for field in dialog.fields)
    weighed = _current(dialog)
    if weighed is None:
        is_asked = dialog.asked is not None and dialog.asked == typed
        return [(Span(fit("asking the trader …", room), Role.PENDING),)] if is_asked else []
    notes = paragraphs(weighed.notes, room)
    if weighed.fault:
        return notes
    words, role = _REDUCES[weighed.reduces]
    return [*paragraphs([words], room, role), *notes]


def _confirm(dialog: ConfirmDialog, now: float, width: int) -> Box:
    keys = [(choice.key, choice.label) for choice in dialog.choices]
    if not {"esc", "escape"} & {key.lower() for key, _ in keys}:
        keys.append(("esc", "or any other key: no, nothing is done"))
    room = text_room(width, _WIDE)
    last = [line for key in keys for line in _hanging(key, room)]
    if dialog.ready:  # a line of its own, so that the keys do not move when they begin to count
        told = "read it first: keys count in a moment" if now < dialog.ready else ""
        last.append((Span(fit(told, room), Role.WARNING),))
    body = paragraphs(dialog.lines, room)
    return Box(dialog.title, body, last, room, dialog.is_grave)


def _typed(dialog: TypedDialog, width: int) -> Box:
    room = text_room(width, _WIDE)
    body = paragraphs(dialog.lines, room)
    if dialog.expected:
        words = (say("Type ", Role.PLAIN), say(dialog.expected, Role.KEY), Span(" to go on:"))
        body.append(words)
    typed = Span(fit_end(dialog.text, room - 3), Role.FIELD)
    field = (Span("> "), typed, Span("_", f"{Role.FIELD} {Role.CURSOR}"))
    fault = (Span(fit(dialog.fault, room), Role.FAULT),)
    keys = _keys([("enter", "go on"), ("esc", "no, leave everything as it is")])
    return Box(dialog.title, body, (field, fault, keys), room, dialog.is_grave)


def _page(page: Page, width: int, height: int) -> list[Line]:
    """Fill the screen with the page from its top line on; long lines are wrapped, never cut."""
    room = text_room(width, 110)
    space = max(1, height - 6)
    top = max(0, min(page.top, len(page.lines) - 1))
    body: list[Line] = []
    end = top
    for text in page.lines[top:]:
        lines = paragraphs([text], room)
        if len(body) + len(lines) > space and body:
            break
        body += lines
        end += 1
    if page.call:
        body.append((Span("asking the trader …", Role.PENDING),))
    body = body[:space]
    where = f"lines {top + 1}-{end} of {len(page.lines)}   " if end - top < len(page.lines) else ""
    keys = _keys([("↑↓", "scroll"), ("esc", "close")] if where else [("esc", "close")])
    body += [()] * (space - len(body) if where else 0)  # does not jump while one scrolls
    return box_lines(Box(page.title, body, ((Span(where, Role.DIM), *keys),), room), height)


def _hanging(key: tuple[str, str], room: int) -> list[Line]:
    """Return a key with all that it does, on as many lines as it takes."""
    name = f"[{safe(key[0])}] "
    indent = min(cells(name), room // 2)
    first, *rest = wrapped(key[1], max(1, room - indent))
    return [
        (Span(fit(name, indent), Role.KEY), Span(first)),
        *((Span(" " * indent), Span(part)) for part in rest),
    ]


def _keys(keys: Sequence[tuple[str, str]]) -> Line:
    pieces: list[Span] = []
    for key, label in keys:
        pieces += [Span(f"[{key}] ", Role.KEY), Span(f"{label}   ")]
    return tuple(pieces)
