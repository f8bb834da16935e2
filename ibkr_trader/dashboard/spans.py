"""Lines of a screen: pieces of text, each with the role that decides its look.

A `Line` knows nothing of colours: `palette.py` says what a role looks like on this terminal.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Span(NamedTuple):
    """A piece of one line; `role` is a name of `palette.Role`, empty for plain text."""

    text: str
    role: str = ""


Line: TypeAlias = tuple[Span, ...]
