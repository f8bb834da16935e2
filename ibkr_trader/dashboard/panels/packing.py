"""Facts side by side on one line: on a narrow screen the less important ones go first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ibkr_trader.dashboard.spans import Line, Span, cut, fit, merged, width

_GAP = 2


class Piece(NamedTuple):
    """A fact for a line.

    Attributes:
        rank: The higher, the sooner it is shortened, and then left out.
        short: How to say it in less room, if there is a way.
        is_right: It stands at the right end.
        may_be_cut: Text that says something without its end; it has `least` cells at least.
    """

    line: Line
    rank: int = 0
    short: Line = ()
    is_right: bool = False
    may_be_cut: bool = False
    least: int = 24


def packed(pieces: Sequence[Piece], room: int, role: str = "", *, indent: int = 1) -> Line:
    """Return the pieces on one line of exactly `room` cells; `role` is what lies between."""
    kept = _squeezed([piece for piece in pieces if piece.line], room - indent)
    left = _joined([piece.line for piece in kept if not piece.is_right], role)
    right = _joined([piece.line for piece in kept if piece.is_right], role)
    gap = room - indent - width(left) - width(right)
    margin = Span(" " * indent, role)
    line = merged((margin, *left, Span(" " * max(0, gap), role), *right))
    return line if gap >= 0 else cut(line, 0, room)


def _squeezed(kept: list[Piece], room: int) -> list[Piece]:
    """Shorten what has a shorter form, leave out the rest, and cut what may be cut."""
    needs = [_need(piece) for piece in kept]
    size = sum(needs) + _GAP * (len(kept) - 1)
    worst_first = sorted(range(len(kept)), key=lambda index: (-kept[index].rank, -index))
    for index in worst_first:
        short = kept[index].short
        if size > room and short:
            kept[index] = kept[index]._replace(line=short)
            size += width(short) - needs[index]
            needs[index] = width(short)
    gone: set[int] = set()
    for index in worst_first:
        if size > room and kept[index].rank:
            gone.add(index)
            size -= needs[index] + _GAP
    spare = max(0, room - size)
    result: list[Piece] = []
    for index, piece in enumerate(kept):
        if index not in gone:
            result.append(_cut(piece, needs[index] + spare))
            spare -= max(0, width(result[-1].line) - needs[index])
    return result


def _cut(piece: Piece, size: int) -> Piece:
    if not piece.may_be_cut or width(piece.line) <= size:
        return piece
    text = "".join(span.text for span in piece.line)
    return piece._replace(line=(Span(fit(text, size), piece.line[-1].role),))


def _need(piece: Piece) -> int:
    """Return the cells that a piece cannot do without."""
    size = width(piece.line)
    return min(size, piece.least) if piece.may_be_cut else size


def _joined(lines: Sequence[Line], role: str) -> Line:
    joined: list[Span] = []
    for line in lines:
        joined += [Span(" " * _GAP, role)] if joined else []
        joined += line
    return tuple(joined)
