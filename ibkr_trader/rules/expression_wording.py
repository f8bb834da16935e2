"""What is said of an expression that is refused: where, what stood there, and what fits instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_EXCERPT = 40  # characters of foreign text in a message
_LISTED = 12  # names in a hint, before it would be a page
_PRINTABLE = range(0x20, 0x7F)


class ExpressionError(ValueError):
    """A text that is no expression of ours; `hint` says what would be one.

    Attributes:
        message: What is wrong, and what stood there.
        column: Where, counted from 1.
        hint: What is allowed there; empty if the message says it.
    """

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(f"column {column}: {message}{f'; {hint}' if hint else ''}")
        self.message = message
        self.column = column
        self.hint = hint


def quoted(text: str) -> str:
    """Return foreign text in quotes, short and harmless: what cannot be printed, by its code."""
    cut, more = (text, "") if len(text) <= _EXCERPT else (text[: _EXCERPT - 1], "…")
    safe = (mark if ord(mark) in _PRINTABLE else f"<U+{ord(mark):04X}>" for mark in cut)
    body = "".join(safe) + more
    return f'"{body}"' if "'" in body else f"'{body}'"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that somebody may have meant, whatever its case; empty if none."""
    names = {name.lower(): name for name in sorted(known, reverse=True)}
    found = difflib.get_close_matches(word.lower(), sorted(names), n=1)
    return names[found[0]] if found else ""


def suggestion(word: str, known: Iterable[str], *, write: str = "{}") -> str:
    """Return a hint: the word that was meant or, if none is near, those that there are."""
    names = sorted(known)
    if meant := nearest(word, names):
        return f"did you mean {write.format(meant)}?"
    listed = ", ".join(write.format(name) for name in names[:_LISTED])
    return f"known: {listed}{', …' if len(names) > _LISTED else ''}" if names else ""
