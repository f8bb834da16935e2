"""Lines of a screen: pieces of text, each with the role that decides its look.

A `Line` knows nothing of colours: `palette.py` says what a role looks like on this terminal.

Width is counted in cells, as a terminal does: a Chinese character takes two. `safe` is the one
gate for text that came from outside, and everything here that makes text fit goes through it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len

ELLIPSIS = "…"
_FLAGS = range(0x1F1E6, 0x1F200)  # letters that some terminals join to one flag
_CACHED = 512  # characters: longer texts are rare, and would only fill the memory


class Span(NamedTuple):
    """A piece of one line; `role` is a name of `palette.Role`, empty for plain text."""

    text: str
    role: str = ""


Line: TypeAlias = tuple[Span, ...]


def safe(text: str) -> str:
    """Return foreign text as it may stand in a line, each of its characters one or two wide.

    It leaves out what could steer a terminal, as `core.text.plain` does, but keeps runs of
    blanks: what is being typed is shown as it is. Beyond that, it leaves out what terminals
    draw in different widths (joined emoji, accents that do not compose, flags): a line that is
    one cell off moves every figure behind it.
    """
    if text.isascii() and text.isprintable():
        return text
    return _cached(text) if len(text) <= _CACHED else _cleaned(text)


def _cleaned(text: str) -> str:
    return "".join(map(_mark, unicodedata.normalize("NFC", text)))


_cached = lru_cache(maxsize=4096)(_cleaned)


def _mark(mark: str) -> str:
    if mark.isspace():
        return " "
    code = ord(mark)
    if code in _FLAGS:
        return chr(code - _FLAGS.start + ord("A"))
    return mark if mark.isprintable() and cell_len(mark) else ""


def say(text: str, role: str = "") -> Span:
    """Return text from anywhere as a piece of a line."""
    return Span(safe(text), role)


def cells(text: str) -> int:
    """Return how many cells safe text takes."""
    return len(text) if text.isascii() else cell_len(text)


def width(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(cells(text) for text, _ in line)


def fit(text: str, room: int, *, right: bool = False, ellipsis: str = ELLIPSIS) -> str:
    """Return text that is exactly `room` cells wide; what is left out is told by `ellipsis`.

    A wide character is never cut in half: a blank takes the cell that is left.
    """
    text = safe(text)
    size = cells(text)
    if size > room:
        if room <= 0:
            return ""
        text = _slice(text, 0, room - cells(ellipsis)).rstrip() + ellipsis
        size = cells(text)
    padding = " " * (room - size)
    return padding + text if right else text + padding


def fit_end(text: str, room: int) -> str:
    """Return the end of a text that is being typed, as much as fits: there stands the cursor."""
    text = safe(text)
    size = cells(text)
    if size <= room:
        return text
    return ELLIPSIS + _slice(text, size - room + 1, size) if room > 0 else ""


def figure(text: str, room: int) -> str:
    """Return a figure, right-aligned; one that does not fit is `###`, never another figure."""
    text = safe(text)
    size = cells(text)
    return "#" * room if size > room else " " * (room - size) + text


def cut(line: Iterable[Span], start: int, end: int) -> Line:
    """Return the cells from `start` to before `end`, blank where the line is shorter."""
    pieces: list[Span] = []
    at = taken = 0
    for text, role in line:
        size = cells(text)
        low, high = max(0, start - at), min(size, end - at)
        if low < high:
            piece = text if high - low == size else _slice(text, low, high)
            pieces.append(Span(piece, role))
            taken += high - low
        at += size
    if taken < end - start:
        pieces.append(Span(" " * (end - start - taken)))
    return tuple(pieces)


def overlay(lines: Sequence[Line], box: Sequence[Line], *, x: int, y: int) -> list[Line]:
    """Return lines with a box laid over them, its upper left corner at `x`, `y`.

    What of the box would lie outside is left out: the lines keep their number and width.
    """
    result = list(lines)
    for row, piece in enumerate(box, start=y):
        if 0 <= row < len(result):
            below = result[row]
            whole, wide = width(below), width(piece)
            middle = cut(piece, max(0, -x), min(wide, whole - x))
            left, right = max(0, min(x, whole)), min(whole, x + wide)
            result[row] = (*cut(below, 0, left), *middle, *cut(below, max(left, right), whole))
    return result


def padded(line: Sequence[Span], room: int, role: str = "") -> Line:
    """Return a line exactly `room` cells wide, blank or cut behind."""
    size = width(line)
    if size == room:
        return tuple(line)
    return (*line, Span(" " * (room - size), role)) if size < room else cut(line, 0, room)


def merged(pieces: Iterable[Span]) -> Line:
    """Return the same line in as few pieces as its roles allow."""
    result: list[Span] = []
    for text, role in pieces:
        if not text:
            continue
        if result and result[-1].role == role:
            result[-1] = Span(result[-1].text + text, role)
        else:
            result.append(Span(text, role))
    return tuple(result)


def wrapped(text: str, room: int) -> list[str]:
    """Return text on as many lines as it needs, none wider than `room`; words stay whole.

    Lines that follow keep the indentation of the first.
    """
    text = safe(text).rstrip()
    if cells(text) <= room:
        return [text]
    indent = " " * min(len(text) - len(text.lstrip()), max(0, room // 2 - 1))
    lines, current = [], ""
    for word in _words(text, max(2, room - len(indent))):
        longer = f"{current} {word}" if current else indent + word
        if current and cells(longer) > room:
            lines.append(current)
            longer = indent + word
        current = longer
    return [*lines, current]


def _words(text: str, room: int) -> Iterator[str]:
    """Yield the words, those in pieces that no line could hold."""
    for word in text.split():
        rest = word
        while cells(rest) > room:
            piece = _slice(rest, 0, room).rstrip()
            yield piece
            rest = rest[len(piece) :]
        if rest:
            yield rest


def _slice(text: str, start: int, end: int) -> str:
    """Return the cells from `start` to before `end`; half a wide character is a blank."""
    if text.isascii():
        return text[start : max(start, end)]
    pieces: list[str] = []
    at = 0
    for mark in text:
        after = at + cell_len(mark)
        if start <= at and after <= end:
            pieces.append(mark)
        elif at < end and after > start:
            pieces.append(" " * (min(after, end) - max(at, start)))
        if after >= end:
            break
        at = after
    return "".join(pieces)
